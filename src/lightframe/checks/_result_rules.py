"""Rules of calibrated lights: levels, dithering, scaled darks."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, erf, sqrt
from statistics import median

from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._frame_chart import frame_chart
from lightframe.checks._numbers import number
from lightframe.checks._pictures import Axis, FrameChart, Mark
from lightframe.checks._result_evidence import CalibratedSet, LightEvidence, ResultEvidence
from lightframe.checks._result_pictures import around_zero, dither_path
from lightframe.checks._rules import found, rule
from lightframe.figures import percent

__all__: list[str] = []

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
_MOST_PEDESTAL_DN = 1000
_PEDESTAL_SIGMAS = 3.72
"""A normal distribution has 1 in 10,000 of its values below minus so many sigma."""
_EXPLAINED = 0.3
"""Part of the pixels below zero that the noise must explain to be called their cause."""
_WORST_CAUSES = (
    "double-bias-subtraction", "offset-mismatch", "gain-mismatch", "gain-label-wrong",
    "units-mismatch", "mixed-scaling", "dark-light-leak", "dark-exposure-mismatch",
    "dark-temperature-mismatch", "readout-mode-mismatch", "frame-type-mislabelled",
)  # fmt: skip


@rule(
    "clipped-result",
    "calibrated pixels lie below zero, and would be truncated in integer files",
    severity=_ERROR,
    group=Group.MASTERS,
    judges=ResultEvidence,
    thresholds=("below_zero", "below_zero_unexplained", "background_below_zero"),
)
def clipped_result(evidence: ResultEvidence) -> Iterator[Finding]:
    """Count the calibrated pixels below zero before anything is truncated (guide 8.3).

    Nothing is truncated in a run, and results hold negative values. Where the background itself is
    below zero, more was subtracted than there was: the calibration is wrong, and no pedestal mends
    it. Where background and noise explain the count, the signal is low, as with narrow-band filters
    and short exposures: a pedestal keeps integer files from being truncated, that is all. More
    pixels below zero than both explain come from a dark that does not fit.

    Example: a background of 12 DN with a noise of 9 DN has 9 % of its pixels below zero; a pedestal
    of 22 DN keeps all but one in 10,000 of them.
    """
    settings = evidence.settings
    for lights in evidence.sets:
        low = _low_levels(lights)
        if low is None or low.fraction < settings.below_zero:
            continue
        if low.height < -settings.background_below_zero:
            yield _oversubtracted(evidence, low)
        elif low.fraction - low.expected > settings.below_zero_unexplained:
            yield found(
                "clipped-result",
                frames=lights.paths,
                severity=_WARNING,
                message=f"{low}, which explain {number(100 * low.expected, 2)} %",
                cause="a dark that does not fit the lights: its hot pixels come out negative",
                remedy="take darks of the exposure and temperature of the lights",
                evidence=low.numbers,
                picture=around_zero(lights, low.level, low.noise),
            )
        elif low.expected > _EXPLAINED * low.fraction:
            pedestal = ceil(_PEDESTAL_SIGMAS * low.noise - low.level)
            pedestal = min(_MOST_PEDESTAL_DN, max(1, pedestal))
            yield found(
                "clipped-result",
                frames=lights.paths,
                severity=_INFO,
                message=f"{low}: they are kept, nothing is truncated",
                cause="the signal is low: a short exposure, a narrow filter, or a dark sky",
                remedy=f"nothing; to write calibrated frames as integers, add a pedestal of"
                f" {pedestal} DN",
                evidence=low.numbers | {"pedestal_dn": pedestal},
                picture=around_zero(lights, low.level, low.noise),
            )


@dataclass(frozen=True, slots=True)
class _Low:
    """Medians over the lights of a set: what lies below zero, and what would be expected to."""

    lights: CalibratedSet
    fraction: float
    expected: float
    height: float
    level: float
    noise: float

    def __str__(self) -> str:
        return (
            f"{self.lights.label}: {number(100 * self.fraction, 2)} % of the calibrated pixels are"
            f" below zero, with a background of {number(self.level, 4)} DN and a noise of"
            f" {number(self.noise)} DN"
        )

    @property
    def numbers(self) -> dict[str, float | str | None]:
        """The same for JSON."""
        return {
            "below_zero_percent": round(100 * self.fraction, 3),
            "expected_percent": round(100 * self.expected, 3),
            "background_dn": round(self.level, 2),
            "noise_dn": round(self.noise, 2),
        }


def _low_levels(lights: CalibratedSet) -> _Low | None:
    parts = [
        lights.median(lambda light: light.low_fraction),
        lights.median(_expected_low),
        lights.median(_level_in_noise),
        lights.median(lambda light: min(light.level_dn, default=None)),
        lights.median(lambda light: max(light.noise_dn, default=None)),
    ]
    known = [part for part in parts if part is not None]
    return _Low(lights, *known) if len(known) == len(parts) else None


def _oversubtracted(evidence: ResultEvidence, low: _Low) -> Finding:
    known = evidence.known(_WORST_CAUSES, low.lights.paths + low.lights.darks)
    return found(
        "clipped-result",
        frames=low.lights.paths,
        message=f"{low}: more was subtracted than there was",
        cause="the bias was subtracted twice, or the dark has another offset, gain or exposure, or"
        " a light leak"
        if known is None
        else f"{known.rule}: {known.message}",
        remedy="compare the levels of lights, darks and bias; a pedestal does not mend this"
        if known is None
        else known.remedy,
        evidence=low.numbers | {"consequence_of": None if known is None else known.rule},
        picture=around_zero(low.lights, low.level, low.noise),
    )


def _level_in_noise(light: LightEvidence) -> float | None:
    pairs = [(b, n) for b, n in zip(light.level_dn, light.noise_dn, strict=False) if n > 0]
    return min((b / n for b, n in pairs), default=None)


def _expected_low(light: LightEvidence) -> float | None:
    """Return the fraction below zero of normal distributions with these levels and noises."""
    parts = [
        0.5 * (1 - erf(b / n / sqrt(2)))
        for b, n in zip(light.level_dn, light.noise_dn, strict=False)
        if n > 0
    ]
    return sum(parts) / len(parts) if parts else None


@rule(
    "pedestal-subtracted",
    "the pedestal of frames that came calibrated is taken away again",
    severity=_ERROR,
    group=Group.SETTINGS,
    judges=ResultEvidence,
    thresholds=("below_zero",),
)
def pedestal_subtracted(evidence: ResultEvidence) -> Iterator[Finding]:
    """Look for calibrated lights whose PEDESTAL is subtracted as they are read (guide 9.5).

    The pedestal kept their pixels above zero. Here negative values are kept, so that taking it off
    is right and only mentioned; set `input_pedestal` to ``none`` to keep it.

    Example: a pedestal of 100 DN is taken off 8 lights of 4 s; 1.7 % of their pixels fall below
    zero, and are kept.
    """
    for lights in evidence.sets:
        pedestal = lights.median(lambda light: light.pedestal_dn) or 0.0
        fraction = lights.median(lambda light: light.low_fraction) or 0.0
        low = _low_levels(lights)
        if lights.calibrated_before and pedestal > 0 and fraction > evidence.settings.below_zero:
            yield found(
                "pedestal-subtracted",
                frames=lights.paths,
                severity=_INFO,
                message=f"{lights.label}: a pedestal of {number(pedestal, 4)} DN is taken off as"
                f" they are read; {number(100 * fraction, 2)} % of the pixels fall below zero, and"
                " are kept",
                cause="the frames were calibrated with an output pedestal",
                remedy='set calibration.input_pedestal = "none" if the result goes into integer'
                " files",
                evidence={"pedestal_dn": pedestal, "below_zero_percent": round(100 * fraction, 3)},
                picture=None if low is None else around_zero(lights, low.level, low.noise),
            )


@rule(
    "undithered",
    "the lights were not, or hardly, dithered",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=ResultEvidence,
    thresholds=("dither_px", "dither_cfa_px", "dither_every", "dither_lights"),
)
def undithered(evidence: ResultEvidence) -> Iterator[Finding]:
    """Measure by how much the field moves from light to light (guide 3.2).

    What calibration leaves of the fixed pattern averages out only if it falls on other places of
    the field in each light. Registration tells the movement; a steady drift is taken off, for it
    draws the pattern out into streaks: walking noise. Rotation of the field counts as movement.

    Example: 20 lights that move by 0.3 px from one to the next, beside a drift of 14 px.
    """
    settings = evidence.settings
    for lights in evidence.sets:
        dithers = lights.dithers(settings)
        if dithers is None or lights.is_dithered(settings):
            continue
        needed = settings.dither_cfa_px if lights.colours else settings.dither_px
        typical, drift = median(lights.steps_px.tolist()), lights.drift_px
        yield found(
            "undithered",
            frames=lights.paths,
            message=f"{lights.label}: the field was moved by more than {needed:g} px {dithers[0]}"
            f" times in {dithers[1]} (needed: every {settings.dither_every:g} lights); typically it"
            f" moves by {number(typical, 2)} px, beside a steady drift of {number(drift)} px in"
            " all",
            cause="dithering was off, or its steps are counted in pixels of a coarse guide camera",
            remedy="dither by some 10 px every few lights",
            evidence={
                "dithers": dithers[0],
                "movements": dithers[1],
                "typical_px": round(typical, 3),
                "needed_px": needed,
                "drift_px": round(drift, 2),
            },
            picture=dither_path(lights, needed),
        )


@rule(
    "no-dark-correlation",
    "the dark scaling factor is at or near zero: the dark is not in the lights",
    severity=_ERROR,
    group=Group.MASTERS,
    judges=ResultEvidence,
)
def no_dark_correlation(evidence: ResultEvidence) -> Iterator[Finding]:
    """Look for scaled darks whose warm pixels do not stand out in the lights (guide 7.1, 8.1).

    A dark of another camera, flipped, calibrated before, or with the bias level missing from one
    side only: its warm pixels are not where those of the lights are. Told where the factor was
    fitted to enough warm pixels and came out as zero within its error in most lights.

    Example: the factor is -0.002 ± 0.007, where the exposures make 0.30: darks of another camera.
    """
    for lights in evidence.scaled():
        scales = [light.dark_scale for light in lights.lights if light.dark_scale is not None]
        without = [s for s in scales if not s.determined and s.reason.startswith("no correlation")]
        if 2 * len(without) <= len(scales):
            continue
        k = median(scale.measured_k for scale in without)
        error = median(scale.sigma_k for scale in without)
        yield found(
            "no-dark-correlation",
            frames=lights.darks,
            message=f"{lights.label}: the dark scaling factor is {k:.3f} ± {error:.3f}: the warm"
            " pixels of the dark are not in the lights",
            cause="a dark of another camera or orientation, or one that was calibrated before",
            remedy="use raw darks of this camera, taken with the program that took the lights",
            evidence={"k": round(k, 4), "k_error": round(error, 4), "lights": len(without)},
            picture=_factors(
                lights, "A factor of zero says that nothing of the dark is there.", 0.0
            ),
        )


def _factors(lights: CalibratedSet, caption: str, expected: float) -> FrameChart:
    """Show the factor of the dark that was measured in each light."""
    scaled = [light for light in lights.lights if light.dark_scale is not None]
    scales = [light.dark_scale for light in scaled if light.dark_scale is not None]
    return frame_chart(
        [light.path for light in scaled],
        [scale.measured_k for scale in scales],
        (),
        title="Dark scaling factor that the pixels tell",
        caption=caption,
        axis=Axis("factor"),
        errors=[scale.sigma_k for scale in scales],
        marks=(Mark(f"{expected:.3g}", expected),),
    )


@rule(
    "dark-scale-disagrees",
    "the dark scaling factor contradicts the exposures at equal temperature",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=ResultEvidence,
    thresholds=("dark_scale_ratio",),
)
def dark_scale_disagrees(evidence: ResultEvidence) -> Iterator[Finding]:
    """Compare the fitted factor with the ratio of the exposures (guide 8.1).

    Dark current grows linearly with time. At equal temperatures the factor must be the ratio of the
    exposures of light and dark; if it is not, an exposure or a temperature in the headers is wrong,
    or the bias was left in, or taken out of, one of them.

    Example: k = 0.61 ± 0.01 for lights of 180 s and darks of 600 s, which make 0.30.
    """
    limit = evidence.settings.dark_scale_ratio
    for lights in evidence.scaled():
        pairs = [
            (light.dark_scale, light.exposure_ratio)
            for light in lights.lights
            if light.dark_scale is not None
            and light.exposure_ratio
            and light.dark_scale.determined
            and light.dark_scale.sigma_k > 0
        ]
        if not pairs or lights.same_temperature is not True:
            continue
        k = median(scale.k for scale, _ in pairs)
        error = median(scale.sigma_k for scale, _ in pairs)
        ratio = median(ratio for _, ratio in pairs)
        if abs(k / ratio - 1) > limit and abs(k - ratio) > 5 * error:
            yield found(
                "dark-scale-disagrees",
                frames=lights.paths,
                message=f"{lights.label}: the dark scaling factor is {k:.3f} ± {error:.3f}, but the"
                f" exposures make {ratio:.3f} at equal temperature (allowed: {percent(limit, 0)})",
                cause="an exposure or a temperature in the headers is not what the camera did, or"
                " the bias does not belong to the dark",
                remedy="compare hot pixels of lights and darks; take darks again",
                evidence={"k": round(k, 4), "k_error": round(error, 4), "ratio": round(ratio, 4)},
                picture=_factors(lights, "The line is the ratio of the exposures.", ratio),
            )
