"""Rules that headers and settings decide: how often the bias is subtracted, and which bias."""

from collections.abc import Iterator

from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import number
from lightframe.checks._plan_records import CalibrationRecord, PlanRecord, paths_of
from lightframe.checks._rules import found, rule

__all__: list[str] = []

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_SHORTEST_STABLE_BIAS_S = 0.2


@rule(
    "double-bias-subtraction",
    "the bias would be subtracted twice",
    severity=_ERROR,
    group=Group.SETTINGS,
    judges=PlanRecord,
)
def double_bias_subtraction(plan: PlanRecord) -> Iterator[Finding]:
    """Count how often the bias is subtracted (guide 7.1).

    Bias and a dark that still holds its bias, both subtracted, take the bias twice. The flat
    then under-corrects, and dark parts of the lights fall below zero. Subtract the bias from
    the dark first, or leave it out altogether: the dark takes it away.

    Example: a bias of 700 DN, a dark of 702 DN that holds it, and a sky of 300 DN: the
    calibrated light has a level of -400 DN.
    """
    yield from _bias_findings(
        "double-bias-subtraction",
        [record for record in (*plan.lights, *plan.flats) if record.bias_left < 0],
        "the bias is subtracted twice from",
        'leave calibration.calibrate_dark unset, or set match.use_bias = "auto"',
    )


@rule(
    "bias-never-subtracted",
    "the settings leave the bias in the lights",
    severity=_ERROR,
    group=Group.SETTINGS,
    judges=PlanRecord,
)
def bias_never_subtracted(plan: PlanRecord) -> Iterator[Finding]:
    """Tell of lights that keep their bias, so that the flat over-corrects (guide 7.1, 8.4).

    It happens where the settings forbid the bias and no dark takes it away, or where a master dark
    is free of bias and there is no bias frame to go with it.

    Example: a master dark of 2 DN without bias, and no bias frame: 700 DN stay in every light.
    """
    yield from _bias_findings(
        "bias-never-subtracted",
        [
            record
            for record in plan.lights
            if record.bias_left > 0
            and (record.dark is not None or (record.by_settings and record.bias_at_hand))
        ],
        "the bias is left in",
        'set match.use_bias = "auto", leave calibration.calibrate_dark unset, and give bias frames'
        " where the master dark is free of bias",
    )


def _bias_findings(
    name: str, records: list[CalibrationRecord], what: str, remedy: str
) -> Iterator[Finding]:
    if records:
        labels = dict.fromkeys(record.target.label for record in records)
        yield found(
            name,
            frames=paths_of(record.target for record in records),
            group=Group.SETTINGS if all(r.by_settings for r in records) else Group.MASTERS,
            message=f"{what} {', '.join(labels)}",
            cause="bias, dark and their settings do not go together",
            remedy=remedy,
            evidence={
                "bias_left": records[0].bias_left,
                "bias": None if records[0].bias is None else records[0].bias.label,
                "dark": None if records[0].dark is None else records[0].dark.label,
                "dark_holds_bias": records[0].dark_holds_bias,
            },
        )


@rule(
    "bias-not-recommended",
    "bias frames of this sensor are not stable at so short an exposure",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=PlanRecord,
)
def bias_not_recommended(plan: PlanRecord) -> Iterator[Finding]:
    """Tell of sensors that change bias level and gradient below 0.2 s (guide 4.1).

    These are the MN34230 and the IMX294, told by the name of the camera. What is measured wins:
    where five or more bias frames have one level and one gradient, and the level that darks of two
    exposures point to, it becomes a remark; where they have not, it says so with numbers. Use
    flat-darks for the flats and matching darks for the lights.

    Example: bias frames of 0.001 s by an ASI1600MM.
    """
    used = {
        record.bias.paths: record.bias
        for record in (*plan.lights, *plan.flats)
        if record.bias is not None
    }
    for bias in used.values():
        short = bias.exposure_s is not None and bias.exposure_s < _SHORTEST_STABLE_BIAS_S
        if bias.sensor.unstable_bias and short:
            yield found(
                "bias-not-recommended",
                frames=bias.paths,
                message=f"{bias.label} of {number(bias.exposure_s)} s: the bias of this sensor is"
                f" not stable below {_SHORTEST_STABLE_BIAS_S} s",
                cause="the sensor switches its readout at very short exposures",
                remedy="take flat-darks instead, or bias frames of 0.3 s",
                evidence={"exposure_s": bias.exposure_s, "stable_from_s": _SHORTEST_STABLE_BIAS_S},
            )
