"""Rules on the pixels' sensitivities: whether flats are of the sensor, and lie as the lights do."""

from collections.abc import Iterator

from lightframe.checks._evidence_sensitivity import SensitivityMatch, sensitivity_match
from lightframe.checks._evidence_session import SessionEvidence, Use
from lightframe.checks._evidence_tools import dark_reference
from lightframe.checks._finding import Finding
from lightframe.checks._numbers import measured
from lightframe.checks._pictures import Axis, Comparison, Mark, Row, numbers
from lightframe.checks._rules import found, witness
from lightframe.frames import FrameKind

__all__: list[str] = []

_CERTAIN = 8.0


def _foreign(evidence: SessionEvidence) -> Iterator[tuple[Use, SensitivityMatch]]:
    """Yield flats whose sensitivities the lights, as they are stored, certainly do not show."""
    wanted = evidence.settings.sensitivity_found
    for use in evidence.uses:
        flats, lights = use.source, use.target
        if use.role is not FrameKind.FLAT or lights.kind is not FrameKind.LIGHT or flats.is_master:
            continue
        darks = dark_reference(evidence, flats), dark_reference(evidence, lights)
        if darks[0] is None or darks[1] is None:
            continue
        match = sensitivity_match(flats, lights, darks[0], darks[1])
        if match is None:
            continue
        slope, error = match.slopes["as stored"], match.errors["as stored"]
        # A slope beyond that is of something else that lights and flats share.
        if abs(slope) < wanted and slope + _CERTAIN * error < 1.0:
            yield use, match


@witness("frame-flipped", judges=SessionEvidence, thresholds=("sensitivity_found",))
def flipped_by_sensitivity(evidence: SessionEvidence) -> Iterator[Finding]:
    """Look for the sensitivities of the flats' pixels in the lights, under the 8 symmetries.

    Each pixel is a little more or less sensitive than its neighbours, by about a percent. In the
    mean of some lights tens of thousands of pixels tell whether these differences lie where the
    flats have them. Flats that were stored upside down put vignetting and dust in the wrong places,
    and divide each pixel by the sensitivity of another one.

    Example: the lights follow the flats with a slope of 0.01 ± 0.03 as stored, and of 1.02 ± 0.03
    upside down.
    """
    for use, match in _foreign(evidence):
        slope, error = match.slopes[match.best], match.errors[match.best]
        wanted = evidence.settings.sensitivity_found
        if not max(wanted, _CERTAIN * error) < slope < 1.0 / wanted:
            continue
        yield found(
            "frame-flipped",
            frames=use.source.paths,
            message=f"{use.source.label}: the pixels' sensitivities are found in"
            f" {use.target.label} with a slope of {_slope(match, 'as stored')} as stored, but of"
            f" {_slope(match, match.best)} {match.best} (needed:"
            f" {evidence.settings.sensitivity_found:g}, right: 1)",
            cause="two programs or drivers store rows or columns in opposite order, or the files"
            " were turned afterwards",
            remedy="take all frames with one program, or turn these back",
            evidence=_numbers(match),
            picture=_picture(match, match.best),
        )


@witness("camera-mismatch", judges=SessionEvidence, thresholds=("sensitivity_found",))
def other_sensor_by_sensitivity(evidence: SessionEvidence) -> Iterator[Finding]:
    """Look for the sensitivities of the flats' pixels in the lights: they are the sensor's own.

    If the lights show them in no orientation, though there is light enough to see them, the flats
    are of another sensor, perhaps of the same name.

    Example: the lights follow the flats with a slope of 0.00 ± 0.02; it would be 1 for one sensor.
    """
    for use, match in _foreign(evidence):
        most = 0.5 * evidence.settings.sensitivity_found
        if max(abs(slope) for slope in match.slopes.values()) > most:
            continue
        yield found(
            "camera-mismatch",
            frames=use.source.paths,
            message=f"{use.source.label}: the pixels' sensitivities are not found in"
            f" {use.target.label}, in no orientation: a slope of {_slope(match, 'as stored')}"
            f" (needed: {evidence.settings.sensitivity_found:g}, right: 1)",
            cause="the flats come from another camera, perhaps of the same model; or the lights"
            " have been divided by a flat before",
            remedy="take flats with the camera of the lights",
            evidence=_numbers(match),
            picture=_picture(match, None),
        )


def _slope(match: SensitivityMatch, name: str) -> str:
    return measured(match.slopes[name], match.errors[name])


def _numbers(match: SensitivityMatch) -> dict[str, dict[str, float]]:
    return {
        "slopes": {name: round(value, 3) for name, value in match.slopes.items()},
        "errors": {name: round(value, 3) for name, value in match.errors.items()},
    }


def _picture(match: SensitivityMatch, orientation: str | None) -> Comparison:
    rows = []
    for name, slope in match.slopes.items():
        reach = _CERTAIN * match.errors[name]
        value, low, high = numbers((slope, slope - reach, slope + reach))
        rows.append(Row(name, value, low, high, wrong=name == orientation))
    return Comparison(
        title="Sensitivities of the flats' pixels found in the lights",
        caption="Slope of the lights against the flats, pixel by pixel, for each orientation; bars"
        f" are {_CERTAIN:.0f} errors. Of flats that fit it is 1 as they are stored.",
        axis=Axis("slope"),
        rows=tuple(rows),
        marks=(Mark("right", 1.0),),
    )
