"""Rules on what has a place in the frame: dust shadows and amplifier glow."""

from collections.abc import Iterator
from statistics import median

from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import measured, number
from lightframe.checks._result_evidence import GLOW_AREA, CalibratedSet, ResultEvidence
from lightframe.checks._result_pictures import dust_shift, glow_of_dark, glow_of_lights
from lightframe.checks._rules import found, rule

__all__: list[str] = []

_WARNING = Severity.WARNING
_CERTAIN = 5.0
_GLOW_GROWTH = 0.85
"""Glow grows with about this power of the exposure, where dark current grows with the first."""
_GLOW_HARM = 0.2
"""Glow wrongly scaled, in units of the noise of a light, from which on it does harm."""
_WELL_KNOWN = 0.2
"""Error of a share from which on it is not worth saying."""


@rule(
    "dust-embossed",
    "the dust shadows of the lights lie elsewhere than those of the flat",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=ResultEvidence,
    thresholds=("dust_shift_px",),
)
def dust_embossed(evidence: ResultEvidence) -> Iterator[Finding]:
    """Lay the dust shadows of the lights over those of the flat (guide 8.5).

    The division by the flat is taken back around its strongest shadows, and the shift at which
    light and flat are most alike is found for each; all of them together give a shift and a turn.
    Shadows that have moved come out embossed, bright on one side and dark on the other. At least
    two shadows must be recognized and agree.

    Example: 5 shadows lie 6.9 px from those of the flat: -5.6 px in x, 4.1 px in y.
    """
    for lights in evidence.sets:
        dust = lights.dust
        if dust is None or not lights.dust_has_moved(evidence.settings):
            continue
        turned = dust.turn_deg != 0
        turn = f", turned by {dust.turn_deg:.2f}°" if turned else ""
        known = evidence.known(("flat-geometry-changed",), lights.paths + lights.flats)
        yield found(
            "dust-embossed",
            frames=lights.flats,
            message=f"{lights.label}: {dust.shadows} dust shadows lie {dust.moved_px:.1f} px from"
            f" those of the flat (allowed: {evidence.settings.dust_shift_px:g} px): shifted by"
            f" {dust.dx_px:.1f} px in x and {dust.dy_px:.1f} px in y (±"
            f" {number(dust.sigma_px, 1)}){turn}",
            cause=f"{known.rule}: {known.message}"
            if known is not None
            else "the camera or a rotator was turned between lights and flats"
            if turned
            else "dust has moved, the filter was not in the same place again, or the focus or"
            " camera was touched between lights and flats",
            remedy="take flats right after the lights, with nothing touched; wheels that turn one"
            " way only come back to the same place",
            evidence={
                "dx_px": round(dust.dx_px, 2),
                "dy_px": round(dust.dy_px, 2),
                "turn_deg": round(dust.turn_deg, 3),
                "error_px": round(dust.sigma_px, 2),
                "moved_px": round(dust.moved_px, 2),
                "shadows": dust.shadows,
                "consequence_of": None if known is None else known.rule,
            },
            picture=dust_shift(dust),
        )


def _visible_glow(evidence: ResultEvidence, lights: CalibratedSet) -> bool:
    noise = lights.median(lambda light: max(light.noise_dn, default=None))
    return (
        lights.glow is not None
        and lights.glow.area < GLOW_AREA
        and noise is not None
        and lights.glow.glow_dn > evidence.settings.glow_visible * noise
    )


@rule(
    "dark-scaling-with-glow",
    "a dark with amplifier glow is scaled",
    severity=_WARNING,
    group=Group.SETTINGS,
    judges=ResultEvidence,
    thresholds=("glow_visible",),
)
def dark_scaling_with_glow(evidence: ResultEvidence) -> Iterator[Finding]:
    """Look for glow in scaled darks (guide 6.2.1, 8.1).

    Amplifier glow does not grow with time as dark current does: the factor that is right for hot
    pixels is wrong for the glow. Told by the large-scale structure of dark minus bias, against the
    noise of the lights; it grows with about the 0.85th power of time. Use darks of the exposure of
    the lights, unscaled.

    Example: a dark of 600 s holds 290 DN of glow; scaled by 0.30 for lights of 180 s it leaves some
    17 DN.
    """
    for lights in evidence.scaled():
        factors = [light.factor_used for light in lights.lights if light.dark_scale is not None]
        k = median(factors)
        noise = lights.median(lambda light: max(light.noise_dn, default=None))
        if lights.glow is None or noise is None or not _visible_glow(evidence, lights):
            continue
        wrong = lights.glow.glow_dn * abs(max(k, 0.0) ** _GLOW_GROWTH - k)
        if wrong < _GLOW_HARM * noise:
            continue
        left = ""
        if lights.glow.sigma < _WELL_KNOWN:
            left = f" (measured: {measured(100 * lights.glow.share, 100 * lights.glow.sigma)} %)"
        yield found(
            "dark-scaling-with-glow",
            frames=lights.darks,
            message=f"{lights.label}: the dark holds {number(lights.glow.glow_dn)} DN of glow and"
            f" is scaled by {number(k)}, which leaves some {number(wrong, 2)} DN of it{left}",
            cause="darks of another exposure or temperature than the lights",
            remedy="take darks of the lights' exposure and temperature, and set"
            ' match.dark_scaling = "none"',
            evidence={
                "glow_dn": round(lights.glow.glow_dn, 2),
                "k": round(k, 4),
                "left_percent": round(100 * lights.glow.share, 2),
                "left_error_percent": round(100 * lights.glow.sigma, 2),
            },
            picture=glow_of_dark(lights.views),
        )


@rule(
    "residual-glow",
    "amplifier glow is left in the calibrated lights, or too much of it was subtracted",
    severity=_WARNING,
    group=Group.MASTERS,
    judges=ResultEvidence,
    thresholds=("glow_visible", "glow_left"),
)
def residual_glow(evidence: ResultEvidence) -> Iterator[Finding]:
    """Look for the dark's large-scale structure in the background of the lights (guide 8.1).

    The tiles of the lights are fitted with a sky of second order and the structure of dark minus
    bias. What is left of it says that the dark does not fit: it repeats at the same place of the
    sensor in all lights, as no nebula does.

    Example: 23 ± 2 % of a glow of 450 DN are left.
    """
    limit = evidence.settings.glow_left
    for lights in evidence.sets:
        glow = lights.glow
        if glow is None or not _visible_glow(evidence, lights):
            continue
        noise = lights.median(lambda light: max(light.noise_dn, default=None)) or 0.0
        visible = abs(glow.share) * glow.glow_dn > 0.3 * noise
        if abs(glow.share) < max(limit, _CERTAIN * glow.sigma) or not visible:
            continue
        known = evidence.known(
            (
                "dark-shorter-than-light", "dark-exposure-mismatch", "dark-temperature-mismatch",
                "dark-light-leak", "gain-mismatch", "frame-flipped", "camera-mismatch",
            ),
            lights.paths + lights.darks,
        )  # fmt: skip
        if known is not None:
            continue
        yield found(
            "residual-glow",
            frames=lights.paths,
            message=f"{lights.label}: {measured(100 * glow.share, 100 * glow.sigma)} % of the"
            f" dark's glow of {number(glow.glow_dn)} DN are left (allowed: {100 * limit:g} %)",
            cause="too little of the glow was subtracted: lights longer or warmer than the dark"
            if glow.share > 0
            else "too much of the glow was subtracted: lights shorter or colder than the dark",
            remedy="take darks of the lights' exposure and temperature",
            evidence={
                "left_percent": round(100 * glow.share, 2),
                "left_error_percent": round(100 * glow.sigma, 2),
                "glow_dn": round(glow.glow_dn, 2),
            },
            picture=glow_of_lights(lights.views),
        )
