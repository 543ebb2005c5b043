"""What several rules ask of the evidence: reference levels, ranges, which sets must agree."""

from collections.abc import Iterable, Sequence

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._cameras import camera_of
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.frames import FrameKind
from lightframe.kernels._constants import FULL_SCALE
from lightframe.processes import LEAST_CEILING_DN, MOST_ABOVE, Saturation, is_end_of_adc

__all__ = [
    "QUADRATIC_TERMS",
    "dark_reference",
    "flat_signal",
    "full_scale",
    "names_of",
    "quadratic_terms",
    "rounded",
    "same_setup",
    "saturated_part",
    "saturation",
    "smooth_part",
    "spike_at_minimum",
]


_FOURTEEN_BITS = 16383
_PILE_FRACTION = 1e-4
_PILE_PIXELS = 10
"""Pixels at the highest value from which on it is a ceiling, not chance."""
_CFA_PLANES = 4
QUADRATIC_TERMS = 6
_SPIKE = 3.0
"""Times as many pixels at the lowest value as at the next one."""
_LEAST_SPIKE = 0.005
_MOST_SNR = 500.0
_LEAST_FULL_WELL_DN = 8000.0
_UPPER_TAIL = 2.07
"""Distance of the quantiles 95 % and 99.99 % of a Gaussian in standard deviations."""


def same_setup(a: SetEvidence, b: SetEvidence) -> bool:
    """Whether two sets claim one camera, gain, readout mode and size.

    Unknown contradicts nothing.
    """
    claims = ((s.camera, s.gain, s.frames[0].info.readout_mode) for s in (a, b))
    return a.shape == b.shape and not any(
        first is not None and second is not None and first != second
        for first, second in zip(*claims, strict=True)
    )


def dark_reference(evidence: SessionEvidence, frames: SetEvidence) -> SetEvidence | None:
    """Return frames without light for a set: those that the plan uses, else any of its setup."""
    order = {
        FrameKind.FLAT: (FrameKind.FLAT_DARK, FrameKind.BIAS, FrameKind.DARK),
        FrameKind.LIGHT: (FrameKind.DARK, FrameKind.FLAT_DARK, FrameKind.BIAS),
    }.get(frames.kind, (FrameKind.BIAS, FrameKind.FLAT_DARK, FrameKind.DARK))
    used = [u.source for u in evidence.uses if u.target is frames and u.role in order]
    others = [s for kind in order for s in evidence.of(kind) if same_setup(s, frames)]
    candidates = [s for s in (*used, *others) if s.is_dark and not s.is_master]
    return min(candidates, key=lambda s: order.index(s.kind)) if candidates else None


def full_scale(evidence: SessionEvidence, frames: SetEvidence) -> float | None:
    """Return the highest value that the ADC could give, in DN of the file; None if unknown."""
    stated = next((f.info for f in frames.frames if f.info.saturation_dn is not None), None)
    if stated is not None:
        return stated.white_dn
    alike = [s for s in evidence.sets if not s.is_master and same_setup(s, frames)]
    alike = [s for s in alike if s.step == frames.step or 0 in {s.step, frames.step}]
    highest = max(float(f.levels.maximum.max()) for s in alike for f in s.frames)
    if frames.step > 1 or highest > _FOURTEEN_BITS:
        return FULL_SCALE
    if any(s.kind is FrameKind.LIGHT for s in alike) and highest > _FOURTEEN_BITS // 2:
        return float(_FOURTEEN_BITS)
    return measured_saturation(alike)


def measured_saturation(sets: Iterable[SetEvidence]) -> float | None:
    """Return the level at which pixels of two phases or more pile up, if any frame shows it."""
    piles: list[float] = []
    for frames in sets:
        for frame in frames.frames:
            if frames.kind is FrameKind.FLAT and (level := _full_wells(frame)) is not None:
                piles.append(level)
            ends = [frame.levels.maximum[p] for p in range(_CFA_PLANES) if _piles_up(frame, p)]
            piles += [float(end) for end in set(ends) if ends.count(end) > 1]
    return max(piles, default=None)


def _full_wells(frame: FrameEvidence) -> float | None:
    """Return the level of a flat that is too even for light: full wells below the ADC's ceiling.

    N electrons of light scatter by the root of N, and no pixel holds more than some 200 000: a
    ratio of signal to noise above 500 is no light.
    """
    high, low = frame.levels.quantile(0.9999), frame.levels.quantile(0.95)
    noise = np.maximum(high - low, max(frame.levels.frame_step, 1)) / _UPPER_TAIL
    even = np.flatnonzero((high > _LEAST_FULL_WELL_DN) & (high > _MOST_SNR * noise))
    return float(high[even].max()) if even.size else None


def _piles_up(frame: FrameEvidence, phase: int) -> bool:
    levels = frame.levels
    share = levels.at_maximum[phase]
    pixels = share * frame.info.height * frame.info.width / _CFA_PLANES
    many = share > _PILE_FRACTION and pixels >= _PILE_PIXELS
    even = levels.minimum[phase] == levels.maximum[phase]
    if even and not is_end_of_adc(float(levels.maximum[phase])):
        return False  # an empty frame
    return bool(many and share > 5.0 * levels.near_maximum[phase])


def saturated_part(frame: FrameEvidence) -> Saturation:
    """Return the saturated pixels of a frame, as `lightframe.processes.saturation` has them."""
    levels, white = frame.levels, frame.info.white_dn
    top = float(levels.maximum.max())
    level = top if white is None or white < LEAST_CEILING_DN else min(top, white)
    even = float(levels.minimum.min()) == top
    if level < LEAST_CEILING_DN or (even and level != white and not is_end_of_adc(top)):
        return Saturation(level, 0.0)
    fraction = _fraction_from(level, frame)
    if level < top and fraction > MOST_ABOVE:
        level, fraction = top, _fraction_from(top, frame)
    return Saturation(level, fraction)


def _fraction_from(level: float, frame: FrameEvidence) -> float:
    levels = frame.levels
    bins = np.arange(levels.whole.shape[1])
    starts = levels.whole_start[:, np.newaxis] + levels.whole_width[:, np.newaxis] * bins
    above = np.where(starts >= level, levels.whole, 0).sum(axis=1) / levels.whole.sum(axis=1)
    at_level = np.where(levels.maximum == level, levels.at_maximum, 0.0)
    return float(np.maximum(above, at_level).mean())


def spike_at_minimum(frame: FrameEvidence) -> float:
    """Return the fraction of pixels that pile up at the lowest value; 0 if there is no spike."""
    levels = frame.levels
    pixels = levels.at_minimum * frame.info.height * frame.info.width / _CFA_PLANES
    spike = levels.at_minimum > np.maximum(_SPIKE * levels.above_minimum, _LEAST_SPIKE)
    spike &= (pixels >= _PILE_PIXELS) & (levels.maximum > levels.minimum)
    return float(levels.at_minimum[spike].max(initial=0.0))


def saturation(evidence: SessionEvidence, frames: SetEvidence) -> float | None:
    """Return the level at which a set saturates: measured, else stated, else known of the camera.

    What the name of the camera tells counts only where no pixel lies above it.
    """
    alike = [s for s in evidence.sets if not s.is_master and same_setup(s, frames)]
    alike = [s for s in alike if s.step == frames.step or 0 in {s.step, frames.step}]
    measured = measured_saturation(alike)
    scale = full_scale(evidence, frames)
    if measured is not None and scale is not None and measured > 0.25 * scale:
        return min(measured, scale)
    if any(frame.info.saturation_dn is not None for frame in frames.frames):
        return scale
    known = camera_of(frames.camera)
    white = None if known is None else known.white_dn(frames.step)
    highest = max(float(f.levels.maximum.max()) for s in alike for f in s.frames)
    return white if white is not None and highest <= white else scale


def flat_signal(evidence: SessionEvidence, flats: SetEvidence) -> Float64:
    """Return the light in each phase of a set of flats, without bias and dark signal."""
    reference = dark_reference(evidence, flats)
    return flats.level - (reference.level if reference is not None else 0.0)


def smooth_part(tiles: Float64) -> Float64:
    """Return the plane and the curvature of a tile map, shape (rows, columns), without its mean."""
    design = quadratic_terms(tiles.shape, 1.0).reshape(-1, QUADRATIC_TERMS)
    coefficients = np.linalg.lstsq(design, tiles.ravel(), rcond=None)[0]
    smooth = (design @ coefficients).reshape(tiles.shape)
    return np.asarray(smooth - smooth.mean())


def quadratic_terms(shape: tuple[int, ...], reach: float) -> Float64:
    """Return the terms of a surface of second order, shape (rows, columns, 6).

    Rows and columns run from ``-reach`` to ``reach``.
    """
    rows, columns = shape
    y = np.linspace(-reach, reach, rows)[:, np.newaxis] * np.ones(columns)
    x = np.linspace(-reach, reach, columns) * np.ones((rows, 1))
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def names_of(frames: Sequence[FrameEvidence], most: int = 3) -> str:
    """Return the names of some frames."""
    shown = ", ".join(frame.path.name for frame in frames[:most])
    return shown + (f" and {len(frames) - most} more" if len(frames) > most else "")


def rounded(values: Iterable[float], digits: int = 4) -> list[float]:
    """Return numbers as JSON has them, with a few digits."""
    return [float(f"{value:.{digits}g}") for value in values]
