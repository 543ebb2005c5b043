"""What a run has seen of its calibrated lights, for the rules."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lightframe.arrays import Float32, Float64, Int64
from lightframe.checks._finding import Finding, Severity
from lightframe.checks._settings import CheckSettings
from lightframe.processes import (
    DarkScale,
    DustMoved,
    FlatFit,
    FlatVerdict,
    GlowLeft,
    HotSlope,
    PatternLeft,
)

__all__ = ["GLOW_AREA", "CalibratedSet", "LightEvidence", "LightViews", "ResultEvidence"]


_CERTAIN = 5.0


GLOW_AREA = 0.15
"""Part of the frame that glow covers at most; a gradient of the dark current covers more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LightEvidence:
    """What is known of one calibrated light after pass 1 and registration.

    Attributes
    ----------
    path : Path
        The raw frame.
    level_dn, noise_dn : tuple of float
        Background and noise of each colour.
    low_fraction : float
        Fraction of the calibrated pixels below zero.
    pedestal_dn : float
        Pedestal that was taken off.
    stars : int
        Stars found.
    fwhm_px, eccentricity : float or None
        Of the bright ones; None with too few.
    brightness : float or None
        Flux of its stars over that of the field's reference frame; None where they share too few.
    placed : ndarray of float64, shape (n, 2), or None
        Where points spread over the frame fall in the reference; None if it cannot be registered.
    dark_scale : DarkScale or None
        Factor of the dark, where it is scaled.
    exposure_ratio : float or None
        Exposure over that of the dark.
    exposure_s : float or None
        Exposure in seconds.
    """

    path: Path
    level_dn: tuple[float, ...] = ()
    noise_dn: tuple[float, ...] = ()
    low_fraction: float = 0.0
    pedestal_dn: float = 0.0
    stars: int = 0
    fwhm_px: float | None = None
    eccentricity: float | None = None
    brightness: float | None = None
    placed: Float64 | None = None
    dark_scale: DarkScale | None = None
    exposure_ratio: float | None = None
    exposure_s: float | None = None

    @property
    def factor_used(self) -> float:
        """What the dark was multiplied with."""
        return 1.0 if self.dark_scale is None else self.dark_scale.k


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LightViews:
    """What pictures of lights that were calibrated in the same way are made of.

    Attributes
    ----------
    background : ndarray of float64, shape (rows, columns)
        Background in tiles, mean of the colours, median of the lights, DN; NaN is missing.
    reciprocal : ndarray of float64, same shape, or None
        Reciprocal of their flat in the same tiles.
    flat_fits : tuple of FlatFit
        How much of each light follows the flat.
    glow : ndarray of float64, same shape, or None
        Large-scale structure of dark minus bias, DN.
    pattern : tuple of two ndarray of float32, shape (n,), or None
        Single pixels less their neighbours, means of two halves of the lights, DN.
    values : ndarray of float32, shape (n,)
        Calibrated pixels from everywhere, DN.
    unknown_hot : ndarray of int64, shape (n, 2)
        Column and row of pixels that are hot in nearly all lights, and not in the dark.
    width : int
        Width of a light in pixels.
    aspect : float
        Height of a light over its width.
    """

    background: Float64
    reciprocal: Float64 | None = None
    flat_fits: tuple[FlatFit, ...] = ()
    glow: Float64 | None = None
    pattern: tuple[Float32, Float32] | None = None
    values: Float32 = field(default_factory=lambda: np.empty(0, np.float32))
    unknown_hot: Int64 = field(default_factory=lambda: np.empty((0, 2), np.int64))
    width: int = 0
    aspect: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibratedSet:
    """Lights that were calibrated in the same way, in the order in which they were taken.

    Attributes
    ----------
    label : str
        The lights in words.
    lights : tuple of LightEvidence
        Those that could be calibrated.
    group : str
        The result they go into.
    peers : tuple of LightEvidence
        The other lights of that result: of another exposure, or calibrated with other masters.
    flats, darks, others : tuple of Path
        Frames of the master flat; of the master dark and bias; of the masters that calibrated the
        flats.
    verdict : FlatVerdict or None
        What the lights say of their flat.
    dark_excess_dn : float or None
        Level of an unscaled dark above that of frames of hardly any exposure, where there are some.
    dark_variance_ratio : float or None
        Variance (temporal) of a frame of the dark over that of such a frame.
    bias_dn : float or None
        Level of the bias, where frames of this session tell it.
    flat_level_dn : float or None
        Level of the master flat.
    colours : bool
        Whether they have a colour filter array.
    megapixels : float
        Pixels of a light.
    calibrated_before : bool
        They came calibrated.
    same_temperature : bool or None
        Whether lights and dark have the same temperature; None is unknown.
    unknown_hot : int or None
        Pixels that are hot in nearly all lights, and not in the dark; None where that was not
        looked for.
    hot_left : HotSlope or None
        What is left of the dark's hot pixels.
    hot_symmetry : str or None
        How the dark must be laid on the lights so that its hot pixels are found; None is unknown.
    pattern : PatternLeft or None
        What single pixels share from light to light.
    masters_of : tuple of int
        Numbers of frames in the masters that were used; empty if one of them is unknown.
    dust : DustMoved or None
        How the dust shadows lie against those of the flat; None where that cannot be told.
    glow : GlowLeft or None
        The dark's glow, and what is left of it; None where no bias tells what is glow.
    views : LightViews or None
        What pictures are made of; None where there are to be none.
    """

    label: str
    lights: tuple[LightEvidence, ...]
    group: str = ""
    peers: tuple[LightEvidence, ...] = ()
    flats: tuple[Path, ...] = ()
    darks: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()
    verdict: FlatVerdict | None = None
    dark_excess_dn: float | None = None
    dark_variance_ratio: float | None = None
    bias_dn: float | None = None
    flat_level_dn: float | None = None
    colours: bool = False
    megapixels: float = 0.0
    calibrated_before: bool = False
    same_temperature: bool | None = None
    unknown_hot: int | None = None
    hot_left: HotSlope | None = None
    hot_symmetry: str | None = None
    pattern: PatternLeft | None = None
    masters_of: tuple[int, ...] = ()
    dust: DustMoved | None = None
    glow: GlowLeft | None = None
    views: LightViews | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The lights."""
        return tuple(light.path for light in self.lights)

    def median(self, value: Callable[[LightEvidence], float | None]) -> float | None:
        """Return the median of what is known of the lights; None if nothing is."""
        known = [v for light in self.lights if (v := value(light)) is not None]
        return float(np.median(known)) if known else None

    @property
    def steps_px(self) -> Float64:
        """By how much the field moves from light to light beyond a steady drift.

        Rotation counts: it is the rms movement of points spread over the frame. A meridian flip is
        left out.
        """
        moves = _moves(self.lights)
        beyond = moves - np.median(moves, axis=0) if len(moves) else moves
        return np.asarray(np.sqrt(np.mean(np.sum(beyond**2, axis=2), axis=1)))

    @property
    def drift_px(self) -> float:
        """Total steady drift from the first light to the last."""
        moves = _moves(self.lights)
        if not len(moves):
            return 0.0
        return float(len(moves) * np.hypot(*np.median(moves, axis=(0, 1))))

    def dithers(self, settings: CheckSettings) -> tuple[int, int] | None:
        """Return how often the field was moved far enough, and how often it could have been.

        None where there are too few registered lights to tell.
        """
        steps = self.steps_px
        if len(steps) + 1 < settings.dither_lights:
            return None
        needed = settings.dither_cfa_px if self.colours else settings.dither_px
        return int(np.count_nonzero(steps > needed)), len(steps)

    def dust_has_moved(self, settings: CheckSettings) -> bool:
        """Whether the dust shadows certainly lie elsewhere than those of the flat."""
        if self.dust is None:
            return False
        return self.dust.moved_px >= max(settings.dust_shift_px, _CERTAIN * self.dust.sigma_px)

    def is_dithered(self, settings: CheckSettings) -> bool | None:
        """Whether the field was moved often enough; None where that cannot be told."""
        dithers = self.dithers(settings)
        return None if dithers is None else dithers[0] * settings.dither_every >= dithers[1]


def _moves(lights: Sequence[LightEvidence]) -> Float64:
    """Return the movements from each registered light to the next, shape (n, points, 2)."""
    placed = np.array([light.placed for light in lights if light.placed is not None])
    if len(placed) < 2:  # noqa: PLR2004 - a movement needs two
        return np.empty((0, 1, 2))
    moves = np.diff(placed, axis=0)
    width = float(np.ptp(placed[0], axis=0).max())
    return np.asarray(moves[np.hypot(*moves.transpose(2, 0, 1)).max(axis=1) < width / 2])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResultEvidence:
    """Everything the rules of calibrated lights look at.

    Attributes
    ----------
    sets : tuple of CalibratedSet
        The lights of one field by the way they were calibrated.
    findings : tuple of Finding
        What is known already, from headers, settings and raw frames.
    settings : CheckSettings
        Thresholds.
    """

    sets: tuple[CalibratedSet, ...] = ()
    findings: tuple[Finding, ...] = ()
    settings: CheckSettings = field(default_factory=CheckSettings)

    def known(
        self, rules: tuple[str, ...], paths: tuple[Path, ...], *, remarks: bool = True
    ) -> Finding | None:
        """Return the finding of the first of `rules` that is about some of `paths`, or None.

        Without `remarks`, findings after which nothing needs to be done do not count.
        """
        wanted = set(paths)
        for name in rules:
            for finding in self.findings:
                told = remarks or finding.severity is not Severity.INFO
                if told and finding.rule == name and wanted & set(finding.frames):
                    return finding
        return None

    def scaled(self) -> Iterator[CalibratedSet]:
        """Yield the sets whose darks were scaled."""
        for lights in self.sets:
            if any(light.dark_scale is not None for light in lights.lights):
                yield lights
