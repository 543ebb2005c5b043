"""What a run has seen of its calibrated lights, for the rules."""

from dataclasses import dataclass, field
from pathlib import Path

from lightframe.checks._finding import Finding
from lightframe.checks._settings import CheckSettings
from lightframe.processes import BackgroundTiles, FlatFit, FlatVerdict

__all__ = ["CalibratedSet", "LightEvidence", "ResultEvidence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LightEvidence:
    """What pass 1 has seen of one calibrated light.

    Attributes
    ----------
    path : Path
        The raw frame.
    tiles : BackgroundTiles
        Its background.
    flat_fit : FlatFit or None
        How much of it follows the flat; None where that cannot be told.
    """

    path: Path
    tiles: BackgroundTiles
    flat_fit: FlatFit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedSet:
    """Lights that were calibrated in the same way.

    Attributes
    ----------
    label : str
        The lights in words.
    lights : tuple of LightEvidence
        Those that could be calibrated.
    flats, darks, others : tuple of Path
        Frames of the master flat; of the master dark and bias; of the masters that calibrated the
        flats.
    verdict : FlatVerdict or None
        What the lights say of their flat.
    bias_dn : float or None
        Level of the bias, where frames of this session tell it.
    """

    label: str
    lights: tuple[LightEvidence, ...]
    flats: tuple[Path, ...] = ()
    darks: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()
    verdict: FlatVerdict | None = None
    bias_dn: float | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The lights."""
        return tuple(light.path for light in self.lights)


@dataclass(frozen=True, slots=True, kw_only=True)
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
