"""Rules on what calibration leaves of the sensor's pattern: hot pixels, fixed pattern, noise."""

from collections.abc import Iterator

from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import measured, number
from lightframe.checks._result_evidence import CalibratedSet, ResultEvidence
from lightframe.checks._result_pictures import (
    hot_pixels_left,
    shared_pattern,
    unknown_hot_pixels,
)
from lightframe.checks._rules import found, rule, witness

__all__: list[str] = []

_WRONG_DARK = -0.6
_KNOWN_DARK_FAULTS = (
    "no-dark", "camera-mismatch", "frame-flipped", "gain-mismatch", "gain-label-wrong",
    "dark-exposure-mismatch", "dark-shorter-than-light", "dark-temperature-mismatch",
    "master-dark-clipped", "dark-light-leak", "mixed-scaling", "units-mismatch", "filtered-raw",
    "no-dark-correlation", "hot-pixel-mismatch", "stale-dark", "frame-type-mislabelled",
)  # fmt: skip
_KNOWN_PATTERN_FAULTS = (
    *_KNOWN_DARK_FAULTS, "no-flat", "flat-filter-missing", "undithered", "flat-underexposed",
)  # fmt: skip


@witness("hot-pixel-mismatch", judges=ResultEvidence, thresholds=("hot_slope", "ledger_sigma"))
def hot_pixel_mismatch(evidence: ResultEvidence) -> Iterator[Finding]:
    """Measure what is left of the dark's hot pixels in the calibrated lights.

    The slope of what is left against the dark, added to the factor that was used, is the factor
    that would have been right. It differs where dark and lights differ in exposure or temperature,
    whatever the headers say. A slope of -1 means that the dark's hot pixels are not in the lights
    at all: it is another sensor's, or lies in another orientation.

    Example: 0.62 ± 0.01 of the dark would have been right where all of it was subtracted: lights
    of 3 to 4 degrees less.
    """
    limit = evidence.settings.hot_slope
    for lights in evidence.sets:
        left = lights.hot_left
        if left is None or _flipped(lights):
            continue
        used = lights.median(lambda light: light.factor_used) or 1.0
        right = used + left.slope
        if abs(left.slope) < evidence.settings.ledger_sigma * left.sigma:
            continue
        if used / limit < right < used * limit or evidence.known(
            _KNOWN_DARK_FAULTS, lights.paths + lights.darks
        ):
            continue
        absent = right < _WRONG_DARK * used + used
        yield found(
            "hot-pixel-mismatch",
            frames=lights.darks,
            message=f"{lights.label}: the hot pixels of the dark, subtracted {number(used)} times,"
            f" should have been {number(max(right, 0.0))} ± {number(left.sigma, 1)} times"
            f" (allowed: a factor of {limit:g}; {left.pixels} pixels)",
            cause="the dark is of another sensor, or the camera filters hot pixels from its lights"
            if absent
            else "lights and dark differ in exposure or temperature, whatever the headers say",
            remedy="take darks of the exposure and temperature of the lights with the same camera;"
            " bias frames allow the dark to be optimised",
            evidence={
                "factor_used": round(used, 4),
                "factor_right": round(right, 4),
                "error": round(left.sigma, 5),
                "pixels": left.pixels,
            },
            picture=hot_pixels_left(left),
        )


@witness("frame-flipped", judges=ResultEvidence)
def frame_flipped(evidence: ResultEvidence) -> Iterator[Finding]:
    """Look for the dark's hot pixels in the calibrated lights under the eight symmetries.

    Only where they are missing as stored: they come out as black holes, and the lights' own hot
    pixels stand where the dark has them after a flip or a turn.

    Example: the hot pixels of the dark are found in the lights if it is upside down.
    """
    for lights in evidence.sets:
        if _flipped(lights) and not evidence.known(("frame-flipped",), lights.darks):
            yield found(
                "frame-flipped",
                frames=lights.darks,
                message=f"{lights.label}: the hot pixels of the dark are found in the lights if it"
                f" is {lights.hot_symmetry}, and not as it is stored",
                cause="lights and darks were written by programs that store rows in opposite order,"
                " or one of them was turned",
                remedy="take all frames with one program",
                evidence={"symmetry": lights.hot_symmetry},
                picture=None if lights.hot_left is None else hot_pixels_left(lights.hot_left),
            )


def _flipped(lights: CalibratedSet) -> bool:
    return lights.hot_symmetry not in {None, "as stored"}


@witness("stale-dark", judges=ResultEvidence, thresholds=("hot_unknown",))
def stale_dark(evidence: ResultEvidence) -> Iterator[Finding]:
    """Count pixels that are hot in at least four of five calibrated lights, and not in the dark.

    Dithering moves stars off them, so that only defects stay. Cosmetic correction removes them; but
    that there are many says that the dark is older than the lights, or another camera's.

    Example: 812 hot pixels per megapixel are in at least four of five lights, and not in the dark.
    """
    limit = evidence.settings.hot_unknown
    for lights in evidence.sets:
        if lights.unknown_hot is None or not lights.megapixels:
            continue
        density = lights.unknown_hot / lights.megapixels
        if density <= limit or _flipped(lights):
            continue
        if evidence.known(_KNOWN_DARK_FAULTS, lights.paths + lights.darks):
            continue
        yield found(
            "stale-dark",
            frames=lights.darks,
            message=f"{lights.label}: {density:.0f} hot pixels per megapixel that the dark does not"
            f" know (allowed: {limit:g})",
            cause="the dark is older than these hot pixels",
            remedy="take new darks",
            evidence={"per_megapixel": round(density, 1), "pixels": lights.unknown_hot},
            picture=unknown_hot_pixels(lights.views),
        )


@rule(
    "residual-pattern",
    "fixed pattern is left in the calibrated lights",
    severity=Severity.WARNING,
    group=Group.MASTERS,
    judges=ResultEvidence,
    thresholds=("pattern_share", "ledger_sigma"),
)
def residual_pattern(evidence: ResultEvidence) -> Iterator[Finding]:
    """Measure what single pixels share from light to light, at places where no stars are.

    Noise differs from light to light and the sky moves over the pixels, so that only the sensor's
    pattern is the same. Some of it is the noise of the masters, which is in every light: of N darks
    not more than 1/N of the variance, of N flats likewise. What is more was not calibrated away,
    limits how far the result can be stretched, and averages out only by dithering (guide 3.2, 3.4).

    Told of three lights and more that were dithered.

    Example: 41 % of a pixel's variance are the same in 8 lights, 82 DN; the noise of 8 darks and 8
    flats explains 25 %. The darks are another sensor's, of which no hot pixel told.
    """
    settings = evidence.settings
    for lights in evidence.sets:
        left = lights.pattern
        if left is None or not lights.masters_of or not lights.is_dithered(settings):
            continue
        masters = sum(1.0 / count for count in lights.masters_of)
        limit = settings.pattern_share + masters
        if left.share < limit or left.share - limit < settings.ledger_sigma * left.sigma:
            continue
        if evidence.known(
            _KNOWN_PATTERN_FAULTS,
            lights.paths + lights.darks + lights.flats,
        ):
            continue
        yield found(
            "residual-pattern",
            frames=lights.paths,
            message=f"{lights.label}: {measured(100 * left.share, 100 * left.sigma)} % of a"
            f" pixel's variance are the same in all lights: {number(left.pattern_dn)} DN of pattern"
            f" (allowed: {number(100 * limit, 2)} %, with the noise of the masters)",
            cause="a master that does not belong to these lights: of another sensor, orientation or"
            " time",
            remedy="take darks and flats again with the camera as it was for the lights",
            evidence={
                "share_percent": round(100 * left.share, 2),
                "error_percent": round(100 * left.sigma, 2),
                "pattern_dn": round(left.pattern_dn, 3),
                "allowed_percent": round(100 * limit, 2),
            },
            picture=shared_pattern(lights.views),
        )
