"""Characterization of sensors from the evidence of frames: figures, comparison, anomalies."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lightframe.checks._cameras import KnownCamera, camera_of
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._sensor_bias import bias_figures
from lightframe.checks._sensor_dark import DarkPoint, against_bias, dark_figures, dark_points
from lightframe.checks._sensor_figure import Figure, derived, unknown
from lightframe.checks._sensor_noise import TransferPoint, black_of, gain_figures, noise_figures
from lightframe.checks._sensor_range import (
    Linearity,
    ceiling_dn,
    linearity,
    range_figures,
    well_figures,
)
from lightframe.checks._sensor_setup import Setup, gather_setups
from lightframe.checks._sensor_verdict import Remark, Typical, between_steps, remarks_on, typical_of
from lightframe.checks._settings import CheckSettings
from lightframe.frames import FrameKind

__all__ = ["FIGURES", "SensorReport", "characterize", "characterize_setup"]

FIGURES = (
    "e_per_dn",
    "read_noise_e",
    "read_noise_dn",
    "frame_noise_dn",
    "bias_level_dn",
    "bias_scatter_dn",
    "bias_drift_dn",
    "bias_gradient_dn",
    "bias_against_darks_dn",
    "row_noise_dn",
    "column_pattern_dn",
    "step_dn",
    "adc_bits",
    "saturation_dn",
    "full_well_e",
    "dynamic_range_stops",
    "linear_to_dn",
    "linearity_percent",
    "dark_current_dn_s",
    "dark_current_e_s",
    "dark_temperature_c",
    "dark_doubling_c",
    "hot_fraction",
    "glow_dn",
    "dark_suppression",
)
"""Names of all figures, in the order in which they are shown."""

_MOST_NAMES = 3
_SAME_GAIN = 1.3


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SensorReport:
    """One camera at one set of settings, as its frames show it.

    Attributes
    ----------
    setup : Setup
        The frames.
    known : KnownCamera or None
        What is known of the camera by name.
    figures : dict of str to Figure
        All of `FIGURES`.
    planes : dict of str to Figure
        Electrons per DN of each colour, ``"R"``, ``"G"``, ``"B"``; empty for monochrome sensors.
    typical : Typical
        What is typical of the camera at these settings.
    differs : tuple of str
        Figures that differ from what is typical by more than units of a camera do.
    remarks : tuple of Remark
        Anomalies, those that were seen first.
    darks : tuple of DarkPoint
        Darks by exposure and temperature.
    transfer : tuple of TransferPoint
        Noise against light, by pairs of flats.
    linear : Linearity
        Light against exposure.
    notes : tuple of str
        What was left out of the comparison.
    """

    setup: Setup
    known: KnownCamera | None
    figures: dict[str, Figure]
    planes: dict[str, Figure]
    typical: Typical
    differs: tuple[str, ...]
    remarks: tuple[Remark, ...]
    darks: tuple[DarkPoint, ...]
    transfer: tuple[TransferPoint, ...]
    linear: Linearity
    notes: tuple[str, ...] = ()

    @property
    def frames(self) -> dict[str, int]:
        """How many frames of each kind there are."""
        return {kind.value: len(self.setup.of(kind)) for kind in FrameKind if self.setup.of(kind)}

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, with stable keys."""
        setup = self.setup
        height, width = setup.shape
        cfa, binning = setup.fact("cfa"), setup.fact("binning")
        return {
            "camera": setup.fact("camera"),
            "sensor": None if self.known is None else self.known.name,
            "technology": None if self.known is None else self.known.technology,
            "gain": setup.fact("gain"),
            "offset": setup.fact("offset"),
            "readout_mode": setup.fact("readout_mode"),
            "binning": None if binning is None else list(binning),
            "width": width,
            "height": height,
            "cfa": None if cfa is None else cfa.name,
            "egain_claimed": setup.fact("egain"),
            "frames": self.frames,
            "figures": {name: self.figures[name].as_dict() for name in FIGURES},
            "planes": {name: {"e_per_dn": f.as_dict()} for name, f in self.planes.items()},
            "typical": self.typical.as_dict(),
            "typical_source": None if self.known is None else self.known.source,
            "differs": list(self.differs),
            "anomalies": [remark.as_dict() for remark in self.remarks],
            "darks": [_dark_as_dict(point) for point in self.darks],
            "transfer": [asdict(point) for point in self.transfer],
            "linearity": [asdict(point) for point in self.linear.points],
            "notes": list(self.notes),
        }

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files."""
        return tuple(frame.path for frame in self.setup.frames)


def _dark_as_dict(point: DarkPoint) -> dict[str, Any]:
    return {
        "exposure_s": point.group.exposure_s,
        "temperature_c": point.group.temperature_c,
        "frames": len(point.group.frames),
        "level_dn": float(np.mean(point.group.levels())),
        "rate_dn_s": point.rate.as_dict(),
        "hot_fraction": point.hot.as_dict(),
        "hot_above_dn": point.hot_limit_dn,
        "glow_dn": point.glow.as_dict(),
        "glow_area": point.glow_area,
        "glow_contrast": float(f"{point.glow_contrast:.4g}"),
        "glow_place": None if point.glow_place is None else list(point.glow_place),
    }


def characterize(
    frames: Iterable[FrameEvidence],
    settings: CheckSettings = CheckSettings(),
) -> tuple[SensorReport, ...]:
    """Characterize the sensors behind raw frames.

    Parameters
    ----------
    frames : iterable of FrameEvidence
        Any frames; those of one camera at one set of settings are taken together. Masters,
        calibrated and debayered frames tell nothing of a sensor and are left out.
    settings : CheckSettings, optional
        Thresholds of what counts as steady, clipped or filtered.

    Returns
    -------
    tuple of SensorReport
        One for each camera, gain, offset, readout mode, binning and size, most frames first.
    """
    return tuple(characterize_setup(setup, settings) for setup in gather_setups(frames))


def characterize_setup(setup: Setup, settings: CheckSettings) -> SensorReport:
    """Characterize one camera at one set of settings."""
    known = camera_of(setup.fact("camera"))
    black = black_of(setup)
    figures = range_figures(setup, known)
    gain, planes, transfer = gain_figures(
        setup, black, ceiling_dn(setup, figures["saturation_dn"], known)
    )
    figures |= {"e_per_dn": gain}
    figures |= noise_figures(setup, black)
    figures["read_noise_e"] = _in_electrons(figures["read_noise_dn"], gain)
    figures |= bias_figures(setup, black)
    figures["bias_against_darks_dn"] = against_bias(setup)
    figures |= well_figures(figures)
    linear = linearity(setup, figures["bias_level_dn"])
    figures |= {"linear_to_dn": linear.linear_to, "linearity_percent": linear.deviation}
    darks = dark_points(setup)
    noise = figures["frame_noise_dn"]
    figures |= dark_figures(setup, darks, gain, noise.number if noise.known else 0.0)
    temperature = figures["dark_temperature_c"]
    typical, notes = typical_of(setup, known, temperature.number if temperature.known else None)
    return SensorReport(
        setup=setup,
        known=known,
        figures={name: figures[name] for name in FIGURES},
        planes=planes,
        typical=typical,
        differs=tuple(typical.differing(figures)),
        remarks=tuple(remarks_on(setup, figures, planes, known, settings)),
        darks=tuple(darks),
        transfer=tuple(transfer),
        linear=linear,
        notes=(*_notes(setup, gain, known), *notes),
    )


def _notes(setup: Setup, gain: Figure, known: KnownCamera | None) -> list[str]:
    """Return what was left out, whether values were computed, what the header's gain means."""
    by_reason: dict[str, list[str]] = {}
    for path, reason in setup.set_aside:
        by_reason.setdefault(reason, []).append(path.name)
    notes = []
    for reason, names in by_reason.items():
        more = f" and {len(names) - _MOST_NAMES} more" if names[_MOST_NAMES:] else ""
        notes.append(f"left out ({reason}): {', '.join(names[:_MOST_NAMES])}{more}")
    values = between_steps(setup, known)
    famous = known is not None and "dark-subtracted" in known.anomalies
    if values is not None and values[1] and not famous:
        notes.append(f"{values[0]}: they are not as the ADC gave them, but computed or scaled")
    claimed = setup.fact("egain")
    if claimed is None or claimed <= 0 or not gain.known:
        return notes
    ratio = gain.number / claimed
    if setup.step > 1 and 1.0 / _SAME_GAIN < ratio * setup.step < _SAME_GAIN:
        notes.append(
            f"the header's EGAIN of {claimed:g} counts units of the ADC; {setup.step} DN are one"
        )
    elif not 1.0 / _SAME_GAIN < ratio < _SAME_GAIN:
        notes.append(f"the header's EGAIN of {claimed:g} e-/DN is not what was measured")
    return notes


def _in_electrons(noise: Figure, gain: Figure) -> Figure:
    if not noise.known:
        return unknown("e-", noise.reason)
    if not gain.known:
        return unknown("e-", f"e-/DN is unknown: {gain.reason}")
    return derived(noise.number * gain.number, "e-", noise.how, noise, gain)
