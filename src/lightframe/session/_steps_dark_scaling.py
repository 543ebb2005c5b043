"""The dark as it is against the scaled dark, light by light (guide, section 8.1)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lightframe.errors import SettingsError
from lightframe.frames import FrameKind
from lightframe.processes import CalibrationRecord, DarkResiduals, dark_residuals
from lightframe.session._batch import Batch
from lightframe.session._calibrator import Calibrator
from lightframe.session._json_values import plain
from lightframe.session._steps import Bench, each_file
from lightframe.session._steps_calibrate import frame_bytes, read_raw

__all__ = ["DarkComparison", "DarkTrial", "compare_dark_scaling"]

_SCALINGS = ("none", "optimize")


@dataclass(frozen=True, slots=True)
class DarkTrial:
    """One way of subtracting the dark from one light.

    Attributes
    ----------
    scaling : str
        ``"none"`` or ``"optimize"``.
    record : CalibrationRecord
        What was done; its noise is that of the calibrated light.
    residuals : tuple of DarkResiduals
        What is left of the dark, channel by channel.
    """

    scaling: str
    record: CalibrationRecord
    residuals: tuple[DarkResiduals, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        scale, noise = self.record.dark_scale, self.record.noise
        result: dict[str, Any] = plain(
            {
                "scaling": self.scaling,
                "k": 1.0 if scale is None else scale.k,
                "k_sigma": None if scale is None else scale.sigma_k,
                "k_reason": None if scale is None else scale.reason,
                "noise_dn": None if noise is None else list(noise.sigma_dn),
                "residuals": [asdict(residuals) for residuals in self.residuals],
            }
        )
        return result


@dataclass(frozen=True, slots=True)
class DarkComparison:
    """Both ways for one light.

    Attributes
    ----------
    path : Path
        The light.
    trials : tuple of DarkTrial
        What comes out by each way.
    """

    path: Path
    trials: tuple[DarkTrial, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"path": str(self.path), "trials": [trial.as_dict() for trial in self.trials]}


def compare_dark_scaling(
    paths: Sequence[Path], calibrator: Calibrator, bench: Bench
) -> Batch[DarkComparison]:
    """Calibrate each light with the dark as it is and with the optimised dark; write nothing.

    Parameters
    ----------
    paths : sequence of Path
        Lights.
    calibrator : Calibrator
        With bias and dark.
    bench : Bench
        Progress and threads.

    Raises
    ------
    SettingsError
        If there is no dark, or it contains its bias and there is no bias.
    """
    dark, bias = calibrator.master(FrameKind.DARK), calibrator.master(FrameKind.BIAS)
    if dark is None:
        raise SettingsError("there is no dark to compare", remedy="give a master dark")
    calibrators = [calibrator.with_scaling(scaling) for scaling in _SCALINGS]
    signal = dark if bias is None or not calibrator.dark_contains_bias else dark - bias

    def work(path: Path) -> DarkComparison:
        info, raw = read_raw(path)
        trials = []
        for scaling, way in zip(_SCALINGS, calibrators, strict=True):
            frame = way.calibrate(info, raw)
            cfa = way.prepared(info).cfa
            residuals = tuple(
                dark_residuals(plane, signal[min(channel, len(signal) - 1)], cfa)
                for channel, plane in enumerate(frame.planes)
            )
            trials.append(DarkTrial(scaling, frame.record, residuals))
        return DarkComparison(path, tuple(trials))

    return each_file("Comparing", paths, work, bench, bytes_each=2 * frame_bytes(paths))
