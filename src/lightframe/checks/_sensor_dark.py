"""Dark current, hot pixels, amplifier glow, and whether the hardware suppresses dark current."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, log

import numpy as np

from lightframe.checks._result_evidence import GLOW_AREA
from lightframe.checks._sensor_figure import Figure, derived, unknown
from lightframe.checks._sensor_noise import dark_variance, level_error
from lightframe.checks._sensor_setup import DarkGroup, Setup
from lightframe.processes import Measured, glow_shape

__all__ = ["DarkPoint", "against_bias", "dark_figures", "dark_points"]


_LEAST_EXPOSURE_S = 1.0
_SIGNIFICANT = 3.0
_CERTAIN = 4.0
_LEAST_SPAN_C = 3.0
_SUPPRESSED = 0.4
"""Part of the signal that the noise proves up to which the level must stay behind."""
_MORE_HOT = 1.3
_GLOW_SIGMA = 6.0
_GLOW_LEAST_NOISE = 0.1
"""Glow in units of the noise of a pixel from which on it matters."""
_GLOW_CONTRAST = 4.0
"""Height of glow in units of the spread of all tiles; a patchy dark current has less."""


@dataclass(frozen=True, slots=True, eq=False)
class DarkPoint:
    """Darks of one exposure and temperature.

    Attributes
    ----------
    group : DarkGroup
        The frames.
    rate : Figure
        Dark current of the typical pixel in DN/s.
    hot : Figure
        Fraction of pixels that stand out alone.
    hot_limit_dn : float
        By how much at least.
    glow : Figure
        Height of the glow in DN: the brightest tiles above the median of the frame.
    glow_area, glow_contrast : float
        Part of the frame with more than half of that; and its height in units of the spread of all
        tiles.
    glow_place : tuple of float or None
        Where it is: column and row, 0 to 1.
    """

    group: DarkGroup
    rate: Figure
    hot: Figure
    hot_limit_dn: float
    glow: Figure
    glow_area: float
    glow_contrast: float
    glow_place: tuple[float, float] | None


def dark_points(setup: Setup) -> list[DarkPoint]:
    """Measure the darks of each exposure and temperature."""
    groups = setup.dark_groups()
    return [
        _point(group, _base_of(group, groups), groups)
        for group in groups
        if group.exposure_s >= _LEAST_EXPOSURE_S
    ]


def _base_of(group: DarkGroup, groups: Sequence[DarkGroup]) -> DarkGroup | None:
    """Return the frames that show the same without dark current: bias, else far shorter darks."""
    shorter = [g for g in groups if g.is_bias or g.exposure_s <= 0.5 * group.exposure_s]
    alike = [g for g in shorter if g.frames[0].tiles.shape == group.frames[0].tiles.shape]
    return min(alike, key=lambda g: (not g.is_bias, g.exposure_s, -len(g.frames)), default=None)


def _point(group: DarkGroup, base: DarkGroup | None, groups: Sequence[DarkGroup]) -> DarkPoint:
    size = group.frames[0].info.height * group.frames[0].info.width
    counts = np.array([frame.hot.total for frame in group.frames])
    limits = [frame.hot_limit for frame in group.frames]
    count = float(np.median(counts))
    hot = Figure(count / size, max(float(np.sqrt(count)), 1.0) / size, "", group.label)
    if base is None:
        reason = "needs bias frames, or darks of half the exposure or less"
        rate, glow = unknown("DN/s", reason), unknown("DN", reason)
        return DarkPoint(group, rate, hot, float(np.median(limits)), glow, 0.0, 0.0, None)
    span = _span(group, base)
    how = f"{group.label} less {base.label}"
    errors = [level_error(item, groups) for item in (group, base)]
    known = [error for error in errors if error is not None]
    error = hypot(*known) / span if len(known) == len(errors) else None
    signal = np.mean([frame.tiles.mean(axis=0) for frame in group.frames], axis=0)
    signal = signal - np.mean([frame.tiles.mean(axis=0) for frame in base.frames], axis=0)
    rise = float(np.median(signal))
    shape = glow_shape(group.tiles() - base.tiles() - rise)
    noise = float(group.frames[0].tile_error.mean()) / 2.0
    noise *= (1.0 / len(group.frames) + 1.0 / len(base.frames)) ** 0.5
    return DarkPoint(
        group=group,
        rate=Figure(rise / span, error, "DN/s", how),
        hot=hot,
        hot_limit_dn=float(np.median(limits)),
        glow=Figure(shape.level, noise, "DN", how),
        glow_area=shape.area,
        glow_contrast=shape.contrast,
        glow_place=shape.place,
    )


def dark_figures(
    setup: Setup, points: Sequence[DarkPoint], e_per_dn: Figure, noise_dn: float
) -> dict[str, Figure]:
    """Return the figures of the dark current: those of the longest darks, at their temperature."""
    if not points:
        reason = "needs darks of a second or more"
        return {
            "dark_current_dn_s": unknown("DN/s", reason),
            "dark_current_e_s": unknown("e-/s", reason),
            "dark_temperature_c": unknown("°C", reason),
            "dark_doubling_c": unknown("°C", reason),
            "hot_fraction": unknown("", reason),
            "glow_dn": unknown("DN", reason),
            "dark_suppression": unknown("", reason),
        }
    main = max(points, key=lambda p: (p.rate.known, p.group.exposure_s, len(p.group.frames)))
    suppression = _suppression(setup, points, e_per_dn)
    rate = main.rate
    if suppression.value is True:
        rate = _rate_from_noise(setup, main, e_per_dn)
    return {
        "dark_current_dn_s": rate,
        "dark_current_e_s": _in_electrons(rate, e_per_dn),
        "dark_temperature_c": _temperature(main.group),
        "dark_doubling_c": _doubling(points),
        "hot_fraction": main.hot,
        "glow_dn": _glow(main, noise_dn),
        "dark_suppression": suppression,
    }


def _in_electrons(rate: Figure, e_per_dn: Figure) -> Figure:
    if not rate.known:
        return unknown("e-/s", rate.reason)
    if not e_per_dn.known:
        return unknown("e-/s", f"e-/DN is unknown: {e_per_dn.reason}")
    if rate.number == 0:
        error = None if rate.error is None else rate.error * e_per_dn.number
        return Figure(0.0, error, "e-/s", rate.how)
    return derived(rate.number * e_per_dn.number, "e-/s", rate.how, rate, e_per_dn)


def _temperature(group: DarkGroup) -> Figure:
    if group.temperature_c is None:
        return unknown("°C", "the headers do not state it")
    return Figure(group.temperature_c, None, "°C", "headers")


def _doubling(points: Sequence[DarkPoint]) -> Figure:
    """Return the degrees that double the dark current, from darks of several temperatures."""
    known = [
        (point.group.temperature_c, point.rate.number, point.rate.error)
        for point in points
        if point.group.temperature_c is not None
        and point.rate.known
        and point.rate.error is not None
        and point.rate.number > _SIGNIFICANT * point.rate.error
    ]
    temperatures = [temperature for temperature, _, _ in known]
    if not known or max(temperatures) - min(temperatures) < _LEAST_SPAN_C:
        return unknown("°C", f"needs darks at temperatures {_LEAST_SPAN_C:g} °C apart or more")
    x = np.array(temperatures)
    y = np.log2([rate for _, rate, _ in known])
    weight = np.array([(rate / max(error, 1e-12)) ** 2 for _, rate, error in known])
    middle = float((weight * x).sum() / weight.sum())
    spread = float((weight * (x - middle) ** 2).sum())
    slope = float((weight * (x - middle) * y).sum()) / spread
    if slope <= 0:
        return unknown("°C", "the dark current does not rise with the temperature stated")
    error = spread**-0.5 / log(2.0) / slope**2
    return Figure(1.0 / slope, error, "°C", f"darks from {x.min():.3g} to {x.max():.3g} °C")


def _glow(point: DarkPoint, noise_dn: float) -> Figure:
    """Return the height of the glow; 0 where what there is covers the frame, or is not certain."""
    glow = point.glow
    if not glow.known or glow.error is None:
        return glow
    certain = glow.number > _GLOW_SIGMA * glow.error
    visible = glow.number > _GLOW_LEAST_NOISE * noise_dn
    if not certain or not visible:
        return Figure(0.0, glow.error, "DN", glow.how)
    if point.glow_area >= GLOW_AREA or point.glow_contrast < _GLOW_CONTRAST:
        text = f"{glow.how}; the dark current is uneven by {glow.number:.3g} DN"
        return Figure(0.0, glow.error, "DN", text)
    return glow


def _suppression(setup: Setup, points: Sequence[DarkPoint], e_per_dn: Figure) -> Figure:
    """Tell whether the noise of long darks proves more dark current than their level shows.

    Dark current comes in electrons: what it adds to the variance, times e-/DN, is by how much the
    level must have risen, unless something took it away again.
    """
    if not e_per_dn.known:
        return unknown("", f"e-/DN is unknown: {e_per_dn.reason}")
    verdicts = [_suppressed(setup, point, e_per_dn) for point in points if point.rate.known]
    known = [verdict for verdict in verdicts if verdict.known]
    if known:
        return max(known, key=lambda verdict: bool(verdict.value))
    reason = "needs darks whose dark current shows in their noise"
    return verdicts[-1] if verdicts else unknown("", f"{reason}, and bias frames")


def _suppressed(setup: Setup, point: DarkPoint, e_per_dn: Figure) -> Figure:
    base = _base_of(point.group, setup.dark_groups())
    if base is None:
        return unknown("", "needs bias frames, or darks of half the exposure or less")
    proved = _signal_in_noise(setup, point.group, base, e_per_dn)
    if proved is None:
        return unknown("", "needs two darks of one exposure, and two bias frames")
    signal, error = proved.value, proved.error
    span = _span(point.group, base)
    rise = point.rate.number * span
    uncertain = float(np.hypot(error, (point.rate.error or 0.0) * span))
    how = f"{point.group.label}: {rise:.3g} DN in level, {signal:.3g} ± {error:.2g} DN in noise"
    if signal < _CERTAIN * error:
        return unknown("", "needs darks whose dark current shows in their noise")
    hot = point.hot.number * point.group.frames[0].info.height * point.group.frames[0].info.width
    fewer = float(np.median([frame.hot.total for frame in base.frames]))
    behind = rise < _SUPPRESSED * signal and signal - rise > _CERTAIN * uncertain
    if behind and hot > _MORE_HOT * fewer:
        return Figure(value=True, how=how)
    if not behind:
        return Figure(value=False, how=how)
    return unknown("", f"{how}; but hot pixels do not grow: the darks may be of another offset")


def _span(group: DarkGroup, base: DarkGroup) -> float:
    """Return by how many seconds darks are longer than what they are compared with."""
    return group.exposure_s - (0.0 if base.is_bias else base.exposure_s)


def _signal_in_noise(
    setup: Setup, group: DarkGroup, base: DarkGroup, e_per_dn: Figure
) -> Measured | None:
    """Return the dark signal in DN that the noise of darks proves; None for single frames."""
    long, short = dark_variance(group, setup.step), dark_variance(base, setup.step)
    if long is None or short is None:
        return None
    gain = e_per_dn.number
    return Measured(
        gain * (long.value - short.value), gain * float(np.hypot(long.error, short.error))
    )


def _rate_from_noise(setup: Setup, point: DarkPoint, e_per_dn: Figure) -> Figure:
    """Return the dark current that the noise proves, where the level hides it."""
    base = _base_of(point.group, setup.dark_groups())
    proved = None if base is None else _signal_in_noise(setup, point.group, base, e_per_dn)
    if base is None or proved is None:
        return point.rate
    span = _span(point.group, base)
    how = f"noise of {point.group.label}; the hardware takes it from the level"
    return Figure(proved.value / span, proved.error / span, "DN/s", how)


def against_bias(setup: Setup) -> Figure:
    """Return by how much bias frames differ from darks, extrapolated to no exposure."""
    groups = setup.dark_groups()
    bias = next((group for group in groups if group.is_bias), None)
    darks = [group for group in groups if not group.is_bias]
    if bias is None or not darks:
        return unknown("DN", "needs bias frames, and darks of two exposures")
    best: Figure | None = None
    for members in _by_temperature(darks):
        low, high = members[0], members[-1]
        errors = [level_error(group, groups) for group in (low, high, bias)]
        known = [error for error in errors if error is not None]
        if high.exposure_s < 2.0 * max(low.exposure_s, 1e-9) or len(known) < len(errors):
            continue
        levels = [float(np.mean(group.levels())) for group in (low, high)]
        ratio = low.exposure_s / (high.exposure_s - low.exposure_s)
        at_zero = levels[0] - ratio * (levels[1] - levels[0])
        error = float(np.sqrt(np.square([1.0 + ratio, ratio, 1.0]) @ np.square(known)))
        own = float(np.mean(bias.levels())) - at_zero
        if best is None or error < (best.error or 0.0):
            best = Figure(own, error, "DN", f"{bias.label} less {low.label} and {high.label}")
    return best or unknown("DN", "needs bias frames, and darks of two exposures")


def _by_temperature(groups: Sequence[DarkGroup]) -> list[list[DarkGroup]]:
    """Return groups of about one temperature, by exposure."""
    left = sorted(groups, key=lambda group: group.exposure_s)
    found: list[list[DarkGroup]] = []
    for group in left:
        for members in found:
            if _near(group.temperature_c, members[0].temperature_c):
                members.append(group)
                break
        else:
            found.append([group])
    return found


def _near(a: float | None, b: float | None) -> bool:
    return a is None or b is None or abs(a - b) <= _LEAST_SPAN_C
