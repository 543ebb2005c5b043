"""The range of a sensor: steps, bits, saturation, and up to where it is linear."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightframe.checks._cameras import KnownCamera
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_tools import measured_saturation
from lightframe.checks._sensor_figure import Figure, derived, unknown
from lightframe.checks._sensor_setup import Setup, clusters
from lightframe.figures import percent
from lightframe.frames import FrameKind
from lightframe.kernels._constants import FULL_SCALE

__all__ = ["LinearPoint", "Linearity", "ceiling_dn", "linearity", "range_figures", "well_figures"]

_FULL_BITS = 16
_SAME_EXPOSURE = 0.01
_LEAST_SPAN = 2.0
_LEAST_POINTS = 3
_LOW_HALF = 0.5
_BRIGHT = 0.75
_DEVIATION = 0.01
_LAMP = 0.01
_CERTAIN = 3.0
_SHARE_OF_BITS = 0.85
_FEWEST_BITS = 8


@dataclass(frozen=True, slots=True)
class LinearPoint:
    """Flats of one exposure.

    Attributes
    ----------
    exposure_s : float
        Exposure.
    level_dn : float
        Level with what is there without light, of the brightest colour in the brightest quarter of
        the frame, where all of this is measured.
    deviation : float
        Light per second against that of the dimmer flats, less 1.
    error : float
        Its error, by how much the lamp varied.
    """

    exposure_s: float
    level_dn: float
    deviation: float
    error: float


@dataclass(frozen=True, slots=True)
class Linearity:
    """Light against exposure.

    Attributes
    ----------
    linear_to : Figure
        Highest level up to which light grows with exposure within 1 % (or the lamp's scatter), DN.
    bends : bool
        Whether flats above that level deviate for certain; otherwise no brighter flats are there.
    deviation : Figure
        Largest deviation up to that level in percent.
    points : tuple of LinearPoint
        By exposure.
    """

    linear_to: Figure
    bends: bool
    deviation: Figure
    points: tuple[LinearPoint, ...] = ()


def range_figures(setup: Setup, known: KnownCamera | None) -> dict[str, Figure]:
    """Return step of the integers, bits of the ADC, and the level of saturation."""
    step = setup.step
    frames = f"{len(setup.frames)} frames"
    figures: dict[str, Figure] = {}
    if step > 0:
        figures["step_dn"] = Figure(float(step), None, "DN", frames)
    else:
        figures["step_dn"] = unknown("DN", "the pixels are not whole numbers, or too few values")
    level = measured_saturation(setup.sets())
    if level is None:
        figures["saturation_dn"] = unknown("DN", "needs a saturated star or flat")
    else:
        # Quantiles are shared out within a step of the integers.
        level = round(level / step) * step if step > 0 else level
        figures["saturation_dn"] = Figure(float(level), None, "DN", "level at which pixels pile up")
    figures["adc_bits"] = _bits(setup, level, known)
    return figures


def _bits(setup: Setup, saturation: float | None, known: KnownCamera | None) -> Figure:
    step = setup.step
    highest = max(float(frame.levels.maximum.max()) for frame in setup.frames)
    if step == 0:
        return unknown("bit", "the step of the integers is unknown")
    if step > 1 or highest > 2 ** (_FULL_BITS - 1):
        bits = _FULL_BITS - int(step).bit_length() + 1
        return Figure(float(bits), None, "bit", "steps" if step > 1 else "highest value")
    for level, how in ((highest, "highest value"), (saturation, "saturation")):
        if level is None:
            continue
        bits = int(np.ceil(np.log2(level + 1.0)))
        full = level == 2**bits - 1 if how == "highest value" else level >= _SHARE_OF_BITS * 2**bits
        if full and bits >= _FEWEST_BITS:
            return Figure(float(bits), None, "bit", how)
    fits = ""
    if known is not None and known.adc_bits is not None and highest < 2**known.adc_bits:
        fits = f" fit the {known.adc_bits} bits it is known for"
    return unknown("bit", f"values up to {highest:.0f} DN{fits}; needs a saturated star or flat")


def ceiling_dn(setup: Setup, saturation: Figure, known: KnownCamera | None) -> float:
    """Return the level that no pixel exceeds: measured, stated, known of the camera, or assumed."""
    stated = setup.fact("saturation_dn")
    if saturation.known:
        return saturation.number
    if stated is not None:
        return min(float(stated), FULL_SCALE)
    white = None if known is None else known.white_dn(setup.step)
    highest = max(float(frame.levels.maximum.max()) for frame in setup.frames)
    if white is not None and highest <= white:
        return white
    return FULL_SCALE if setup.step != 1 or highest > 2**14 else max(highest, 2.0**14 - 1.0)


def well_figures(figures: dict[str, Figure]) -> dict[str, Figure]:
    """Return full well in electrons and dynamic range, from the other figures."""
    saturation, level, gain = (
        figures[name] for name in ("saturation_dn", "bias_level_dn", "e_per_dn")
    )
    missing = next((f for f in (saturation, level, gain) if not f.known), None)
    if missing is not None:
        well = unknown("e-", missing.reason)
        return {"full_well_e": well, "dynamic_range_stops": unknown("", missing.reason)}
    if saturation.number <= level.number:
        reason = "what pixels pile up at lies below the bias level"
        return {"full_well_e": unknown("e-", reason), "dynamic_range_stops": unknown("", reason)}
    electrons = (saturation.number - level.number) * gain.number
    how = "saturation less bias level"
    if saturation.number >= FULL_SCALE - 2 * max(_step_of(figures), 1.0):
        how += "; the ADC ends there, the pixel may hold more"
    well = derived(electrons, "e-", how, gain)
    noise = figures["read_noise_dn"]
    if not noise.known or noise.number <= 0:
        return {"full_well_e": well, "dynamic_range_stops": unknown("", noise.reason)}
    stops = float(np.log2((saturation.number - level.number) / noise.number))
    error = None if noise.error is None else noise.error / noise.number / float(np.log(2.0))
    return {
        "full_well_e": well,
        "dynamic_range_stops": Figure(stops, error, "", "full well over read noise"),
    }


def _step_of(figures: dict[str, Figure]) -> float:
    return figures["step_dn"].number if figures["step_dn"].known else 0.0


def linearity(setup: Setup, bias_level: Figure) -> Linearity:
    """Compare light with exposure over flats of several exposures.

    The lamp must be steady: what flats of one exposure differ by is the error, and where it is
    above 1 % nothing is told.
    """
    flats = [f for f in setup.of(FrameKind.FLAT) if f.info.exposure_s]
    reason = "needs flats of three exposures a factor of 2 apart, by a steady lamp"
    if not flats or not bias_level.known:
        return _no_linearity(reason if bias_level.known else bias_level.reason)
    by_filter: dict[str, list[FrameEvidence]] = {}
    for flat in flats:
        by_filter.setdefault(flat.info.filter or "", []).append(flat)
    found = [_one_lamp(frames, bias_level.number) for frames in by_filter.values()]
    known = [item for item in found if item.linear_to.known]
    if known:
        return max(known, key=lambda item: len(item.points))
    told = [item for item in found if item.linear_to.reason != reason]
    return next(iter(told), _no_linearity(reason))


def _no_linearity(reason: str, points: tuple[LinearPoint, ...] = ()) -> Linearity:
    return Linearity(unknown("DN", reason), False, unknown("%", reason), points)


def _one_lamp(flats: Sequence[FrameEvidence], black: float) -> Linearity:
    groups = clusters(flats, lambda f: f.info.exposure_s or 0.0, fraction=_SAME_EXPOSURE)
    exposures = [float(np.median([f.info.exposure_s or 0.0 for f in group])) for group in groups]
    reason = "needs flats of three exposures a factor of 2 apart, by a steady lamp"
    if len(groups) < _LEAST_POINTS or exposures[-1] < _LEAST_SPAN * exposures[0]:
        return _no_linearity(reason)
    # [flat, phase]: each colour has its own light and its own level.
    shape = np.mean([flat.tiles.mean(axis=0) for flat in flats], axis=0)
    bright = shape >= np.quantile(shape, _BRIGHT)
    rates = [
        np.array(
            [(f.tiles[:, bright].mean(axis=1) - black) / (f.info.exposure_s or 1.0) for f in group]
        )
        for group in groups
    ]
    if min(float(rate.min()) for rate in rates) <= 0:
        return _no_linearity("some flats have no light")
    freedom = sum(len(rate) - 1 for rate in rates)
    squares = sum(float(((rate.mean(1) / rate.mean() - 1.0) ** 2).sum()) for rate in rates)
    lamp = float(np.sqrt(squares / freedom)) if freedom else float("nan")
    if not lamp <= _LAMP:
        text = "is not known from single flats" if not freedom else f"varies by {percent(lamp, 1)}"
        return _no_linearity(f"the lamp {text}; {reason}")
    means = np.array([rate.mean(axis=0) for rate in rates])
    levels = means * np.array(exposures)[:, np.newaxis] + black
    return _bend(exposures, levels, means, lamp / np.sqrt([len(group) for group in groups]))


def _bend(
    exposures: list[float],
    levels: np.typing.NDArray[np.float64],
    rates: np.typing.NDArray[np.float64],
    errors: np.typing.NDArray[np.float64],
) -> Linearity:
    """Return up to which level rates agree; arrays are [exposure, phase], errors relative."""
    top = levels.max(axis=1)
    low = top <= max(_LOW_HALF * float(top.max()), float(np.sort(top)[1]))
    reference = rates[low].mean(axis=0)
    by_reference = float(np.sqrt((errors[low] ** 2).sum()) / low.sum())
    points = []
    for exposure, level, rate, error in zip(exposures, levels, rates, errors, strict=True):
        brightest = int(np.argmax(level))
        deviation = float(rate[brightest] / reference[brightest] - 1.0)
        total = float(np.hypot(error, by_reference))
        points.append(LinearPoint(exposure, float(level[brightest]), deviation, total))
    limit = [max(_DEVIATION, _CERTAIN * point.error) for point in points]
    wrong = [abs(p.deviation) > allowed for p, allowed in zip(points, limit, strict=True)]
    good = points[: wrong.index(True)] if any(wrong) else points
    if len(good) < 2:  # noqa: PLR2004 - two levels make a line
        return _no_linearity("already the dim flats disagree: shutter or lamp", tuple(points))
    largest = max(good, key=lambda point: abs(point.deviation))
    how = f"flats of {len(points)} exposures"
    bends = any(wrong)
    return Linearity(
        Figure(good[-1].level_dn, None, "DN", how if bends else f"{how}; none is brighter"),
        bends,
        Figure(100.0 * largest.deviation, 100.0 * largest.error, "%", how),
        tuple(points),
    )
