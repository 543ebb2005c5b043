"""What a run has seen of its calibrated lights, for the rules."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lightframe.checks._finding import Finding
from lightframe.checks._settings import CheckSettings
from lightframe.processes import DarkScale, FlatVerdict

__all__ = ["CalibratedSet", "LightEvidence", "ResultEvidence"]

_F64 = npt.NDArray[np.float64]


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
    placed: _F64 | None = None
    dark_scale: DarkScale | None = None
    exposure_ratio: float | None = None


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
    flats, darks, others : tuple of Path
        Frames of the master flat; of the master dark and bias; of the masters that calibrated the
        flats.
    verdict : FlatVerdict or None
        What the lights say of their flat.
    bias_dn : float or None
        Level of the bias, where frames of this session tell it.
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
    """

    label: str
    lights: tuple[LightEvidence, ...]
    group: str = ""
    flats: tuple[Path, ...] = ()
    darks: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()
    verdict: FlatVerdict | None = None
    bias_dn: float | None = None
    colours: bool = False
    megapixels: float = 0.0
    calibrated_before: bool = False
    same_temperature: bool | None = None
    unknown_hot: int | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The lights."""
        return tuple(light.path for light in self.lights)

    def median(self, value: Callable[[LightEvidence], float | None]) -> float | None:
        """Return the median of what is known of the lights; None if nothing is."""
        known = [v for light in self.lights if (v := value(light)) is not None]
        return float(np.median(known)) if known else None

    @property
    def step_px(self) -> float | None:
        """By how much the field moves from light to light, beyond a steady drift (rms).

        Rotation counts: the movement is that of points spread over the frame. None for fewer than
        four registered lights.
        """
        moves = _moves(self.lights)
        if len(moves) < 3:  # noqa: PLR2004 - steps of four lights
            return None
        beyond = moves - np.median(moves, axis=0)
        return float(np.sqrt(np.mean(np.sum(beyond**2, axis=2))))

    @property
    def drift_px(self) -> float:
        """Total steady drift from the first light to the last."""
        moves = _moves(self.lights)
        if not len(moves):
            return 0.0
        return float(len(moves) * np.hypot(*np.median(moves, axis=(0, 1))))


def _moves(lights: Sequence[LightEvidence]) -> _F64:
    """Return the movements from each registered light to the next, shape (n, points, 2)."""
    placed = [light.placed for light in lights if light.placed is not None]
    return np.diff(np.array(placed), axis=0) if len(placed) > 1 else np.empty((0, 1, 2))


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

    def known(self, rules: tuple[str, ...], paths: tuple[Path, ...]) -> Finding | None:
        """Return the finding of the first of `rules` that is about some of `paths`, or None."""
        wanted = set(paths)
        for name in rules:
            for finding in self.findings:
                if finding.rule == name and wanted & set(finding.frames):
                    return finding
        return None

    def scaled(self) -> Iterator[CalibratedSet]:
        """Yield the sets whose darks were scaled."""
        for lights in self.sets:
            if any(light.dark_scale is not None for light in lights.lights):
                yield lights
