"""Rules on the ledger of hot pixels: sensor, orientation, temperature, age of the darks."""

from collections.abc import Iterator
from math import log2

from lightframe.checks._evidence_gain_rules import gain_outliers
from lightframe.checks._evidence_ledger import Ledger
from lightframe.checks._evidence_levels_of_bias import setups, transfers_of
from lightframe.checks._evidence_pictures import hot_pixels_by_orientation, hot_pixels_by_slope
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._pictures import Scatter
from lightframe.checks._rules import found, rule, witness
from lightframe.figures import percent

__all__: list[str] = []

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_FEWEST_OWN = 20
"""Hot pixels of their own that lights must have so that those of a dark can be called foreign."""
_DOUBLING_C = 6.0
"""Degrees in which dark current doubles: 5 to 7 for most sensors."""


@witness("frame-flipped", judges=SessionEvidence, thresholds=("hot_found",))
def flipped_by_hot_pixels(evidence: SessionEvidence) -> Iterator[Finding]:
    """Look for the hot pixels of the dark in the lights, under the 8 symmetries of a rectangle.

    Hot pixels sit at fixed places. If they are not found as stored, but after a mirroring or a
    turn, darks and lights lie the other way round: a driver or program stores rows in the opposite
    order. Subtracting such a dark doubles every hot pixel instead of removing it.

    Example: of 240 hot pixels 3 % are found as stored, 97 % upside down.
    """
    for ledger in evidence.ledgers:
        share = ledger.found.get("as stored", 0.0)
        best = ledger.best
        if best == "as stored" or ledger.found[best] < evidence.settings.hot_found:
            continue
        if share > 0.5 * ledger.found[best]:
            continue
        yield found(
            "frame-flipped",
            frames=ledger.dark.paths,
            message=f"{ledger.dark.label}: of {ledger.looked_for} hot pixels {percent(share, 0)}"
            f" are found in {ledger.lights.label} as stored, but {percent(ledger.found[best], 0)}"
            f" {best} (needed: {percent(evidence.settings.hot_found, 0)})",
            cause="two programs or drivers store rows or columns in opposite order, or the files"
            " were turned afterwards",
            remedy="take all frames with one program, or turn these back",
            evidence={
                "hot_pixels": ledger.looked_for,
                "found": {name: round(value, 3) for name, value in ledger.found.items()},
            },
            picture=hot_pixels_by_orientation(
                ledger,
                evidence.settings.hot_found,
                "Hot pixels sit at fixed places: the orientation in which they are found is the"
                " true one.",
            ),
        )


@witness("camera-mismatch", judges=SessionEvidence, thresholds=("hot_found",))
def other_sensor(evidence: SessionEvidence) -> Iterator[Finding]:
    """Look for the hot pixels of the dark in the lights: they are the fingerprint of a sensor.

    If they are found nowhere, in no orientation, while the lights have hot pixels of their own,
    the darks come from another sensor, though perhaps from a camera of the same name.

    Example: of 240 hot pixels of the dark 2 % are found in the lights, which have 190 others.
    """
    for ledger in evidence.ledgers:
        if max(ledger.found.values(), default=1.0) > 0.5 * evidence.settings.hot_found:
            continue
        unknown = ledger.unknown_per_megapixel
        own = 0.0 if unknown is None else unknown * ledger.lights.frames[0].megapixels
        if own < max(_FEWEST_OWN, 0.05 * ledger.looked_for):
            continue
        yield found(
            "camera-mismatch",
            frames=ledger.dark.paths,
            message=f"{ledger.dark.label}: of {ledger.looked_for} hot pixels"
            f" {percent(ledger.found.get('as stored', 0.0), 0)} are found in {ledger.lights.label},"
            f" which have {own:.0f} others (needed: {percent(evidence.settings.hot_found, 0)})",
            cause="the darks come from another camera, perhaps of the same model, or from another"
            " part of the sensor",
            remedy="take darks with the camera of the lights",
            evidence={
                "hot_pixels": ledger.looked_for,
                "found": {name: round(value, 3) for name, value in ledger.found.items()},
                "others_in_lights": round(own),
            },
            picture=hot_pixels_by_orientation(
                ledger,
                evidence.settings.hot_found,
                "Hot pixels are the fingerprint of a sensor: these are found in no orientation.",
            ),
        )


def _fits(evidence: SessionEvidence, ledger: Ledger) -> bool:
    """Whether darks and lights come from one sensor, the same way round."""
    share = ledger.found.get("as stored", 0.0)
    return share >= evidence.settings.hot_found and ledger.slope is not None


def _expected_slope(ledger: Ledger) -> float:
    """Return the ratio of the exposures of lights and dark; 1 if one of them is unknown."""
    lights, dark = ledger.lights.exposure_s, ledger.dark.exposure_s
    return lights / dark if lights and dark else 1.0


def _slope_cases(
    evidence: SessionEvidence,
) -> Iterator[tuple[Ledger, float, float, bool]]:
    """Yield ledgers whose slope is off: slope over expected, its error, temperatures known."""
    allowed = evidence.settings.hot_slope
    other_gain = {
        path
        for group in setups(evidence)
        for finding in gain_outliers(evidence, transfers_of(evidence, group))
        for path in finding.frames
    }
    for use in evidence.uses:
        ledger = next(
            (g for g in evidence.ledgers if g.dark is use.source and g.lights is use.target), None
        )
        if ledger is None or use.scaling == "optimize" or not _fits(evidence, ledger):
            continue
        if other_gain & set(ledger.lights.paths):
            continue  # the gain explains the slope
        lights, dark = ledger.lights, ledger.dark
        expected = _expected_slope(ledger)
        slope = (ledger.slope or 0.0) / expected
        error = (ledger.slope_error or 0.0) / expected
        if slope - 5.0 * error > allowed or slope + 5.0 * error < 1.0 / allowed:
            known = all(
                any(f.info.temperature_c is not None or f.info.set_temperature_c is not None
                    for f in s.frames)
                for s in (lights, dark)
            )  # fmt: skip
            yield ledger, slope, error, known


@witness(
    "dark-temperature-mismatch",
    judges=SessionEvidence,
    thresholds=("hot_slope", "hot_slope_error"),
)
def temperature_by_hot_pixels(evidence: SessionEvidence) -> Iterator[Finding]:
    """Where headers do not state the temperature, ask the hot pixels.

    The dark current doubles every 6 degrees, so the ratio of the hot pixels in lights and dark, at
    equal exposure, tells the difference of temperature. A factor of 1.3 is 2 degrees.

    Example: hot pixels of the lights are 2.1 times those of the dark: the lights were about 6
    degrees warmer.
    """
    for ledger, slope, error, known in _slope_cases(evidence):
        if known or slope <= 0:
            continue
        degrees = _DOUBLING_C * log2(slope)
        off = max(slope, 1.0 / slope)
        yield found(
            "dark-temperature-mismatch",
            frames=ledger.dark.paths,
            severity=_ERROR if off > evidence.settings.hot_slope_error else _WARNING,
            message=f"{ledger.dark.label}: hot pixels of {ledger.lights.label} are {slope:.2f} ±"
            f" {error:.2f} times what the exposures lead to expect: the lights were about"
            f" {abs(degrees):.0f} °C {'warmer' if degrees > 0 else 'colder'} (allowed: a factor of"
            f" {evidence.settings.hot_slope:g})",
            cause="another set point, no cooling, or another season; the headers do not state the"
            " temperature",
            remedy="take darks at the temperature of the lights",
            evidence={
                "slope": round(slope, 3),
                "error": round(error, 3),
                "difference_c": round(degrees, 1),
                "factor_allowed": evidence.settings.hot_slope,
            },
            picture=_slope_picture(ledger),
        )


@rule(
    "hot-pixel-mismatch",
    "hot pixels of the lights follow the dark with another factor than it is used with",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("hot_slope", "hot_slope_error"),
)
def hot_pixel_mismatch(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare hot pixels of the lights with those of the dark: their ratio is the true factor.

    It is 1 for darks of the same exposure and temperature. Above 1 the lights were longer or warmer
    than the headers say, and hot pixels stay in; below 1 dark holes are left. Either the
    temperature or the exposure in a header is wrong, or lights were filtered or calibrated before.
    Take darks that match, or let the dark be optimised (guide 8.1).

    Example: slope 0.50 ± 0.01 at equal exposure: the lights were 6 degrees colder than the dark, or
    half as long.
    """
    for ledger, slope, error, known in _slope_cases(evidence):
        if not known and slope > 0:
            continue
        degrees = _DOUBLING_C * log2(max(slope, 1e-3))
        off = max(slope, 1.0 / max(slope, 1e-3))
        yield found(
            "hot-pixel-mismatch",
            frames=ledger.dark.paths,
            severity=_ERROR if off > evidence.settings.hot_slope_error else _WARNING,
            message=f"{ledger.dark.label}: hot pixels of {ledger.lights.label} are {slope:.2f} ±"
            f" {error:.2f} times what exposures in the headers lead to expect (allowed: a factor of"
            f" {evidence.settings.hot_slope:g})",
            cause=f"the sensor was {abs(degrees):.0f} °C"
            f" {'warmer' if degrees > 0 else 'colder'} for the lights than for the darks, or an"
            " exposure in a header is wrong",
            remedy="take darks with exposure and temperature of the lights, or give bias frames and"
            " let the dark be optimised",
            evidence={
                "slope": round(slope, 3),
                "error": round(error, 3),
                "as_temperature_c": round(degrees, 1),
                "hot_pixels": ledger.looked_for,
                "factor_allowed": evidence.settings.hot_slope,
            },
            picture=_slope_picture(ledger),
        )


def _slope_picture(ledger: Ledger) -> Scatter:
    return hot_pixels_by_slope(
        ledger,
        _expected_slope(ledger),
        "Hot pixels of the lights against those of the dark",
        "Each dot is a pixel. With a dark that fits, they lie along the dashed line.",
    )


@rule(
    "stale-dark",
    "lights have many hot pixels that the dark does not know",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("hot_unknown",),
)
def stale_dark(evidence: SessionEvidence) -> Iterator[Finding]:
    """Count pixels that are hot in nearly all lights, at the same place, but not in the dark.

    Sensors age: pixels become hot, and a library of darks grows stale. Such pixels stay in the
    lights; with dithering and rejection most of them go, else they leave trails. Take new darks.

    Example: 410 hot pixels per megapixel in at least 80 % of the lights are not hot in any dark.
    """
    for ledger in evidence.ledgers:
        density = ledger.unknown_per_megapixel
        if density is None or density <= evidence.settings.hot_unknown:
            continue
        if not _fits(evidence, ledger):
            continue
        yield found(
            "stale-dark",
            frames=ledger.dark.paths,
            message=f"{ledger.dark.label}: {density:.0f} hot pixels per megapixel of"
            f" {ledger.lights.label} are not in the dark (allowed:"
            f" {evidence.settings.hot_unknown:g})",
            cause="pixels have become hot since the darks were taken",
            remedy="take new darks",
            evidence={
                "per_megapixel": round(density, 1),
                "allowed": evidence.settings.hot_unknown,
                "examples_row_column": [list(place) for place in ledger.unknown[:20]],
            },
            picture=hot_pixels_by_slope(
                ledger,
                _expected_slope(ledger),
                "Hot pixels of the lights against those of the dark",
                "What the dark knows lies along the line; what it does not know stands at its left"
                " end, and stays in the lights.",
                ledger.lights.frames,
            ),
        )
