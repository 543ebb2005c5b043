"""Stars, background and noise of files, and the reference among them (guide, section 9.3)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from lightframe.errors import RegistrationError
from lightframe.frames import FrameInfo, read_image
from lightframe.processes import (
    FrameStatistics,
    Measurement,
    choose_reference,
    frame_statistics,
    measure,
    reference_scores,
    saturation,
)
from lightframe.session._batch import Batch
from lightframe.session._json_values import plain
from lightframe.session._noise import colour_noise
from lightframe.session._records import unknown_light
from lightframe.session._steps import Bench, each_file
from lightframe.session._steps_calibrate import frame_bytes

__all__ = ["MeasuredFile", "measure_files"]

_SAMPLED_PIXELS = 1 << 20


@dataclass(frozen=True, slots=True)
class MeasuredFile:
    """What the pixels of one file say.

    Attributes
    ----------
    info : FrameInfo
        Its header.
    measurement : Measurement
        Stars and background.
    weight : float
        Squared ratio of scale to noise, relative to the mean of the files.
    score : float
        How well it would serve as registration reference; the higher the better, NaN if unknown.
    is_reference : bool
        Whether it is the best of the files.
    """

    info: FrameInfo
    measurement: Measurement = field(repr=False)
    weight: float = float("nan")
    score: float = float("nan")
    is_reference: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, named as in the ``lights`` of run.json."""
        measured = self.measurement
        result: dict[str, Any] = plain(
            unknown_light(self.info.path, self.info.exposure_s)
            | {
                "used": True,
                "reason": "",
                "noise_dn": list(measured.noise_dn),
                "background_dn": list(measured.background_dn),
                "fwhm_px": measured.fwhm_px,
                "eccentricity": measured.eccentricity,
                "stars": measured.star_count,
                "weight": self.weight,
                "score": self.score,
                "reference": self.is_reference,
            }
        )
        return result


def measure_files(paths: Sequence[Path], bench: Bench) -> Batch[MeasuredFile]:
    """Measure lights, and say which of them would be the reference.

    Parameters
    ----------
    paths : sequence of Path
        Lights: mosaics, monochrome or colour; best calibrated.
    bench : Bench
        Settings: ``detection``.
    """

    def work(path: Path) -> tuple[MeasuredFile, float]:
        info, planes = read_image(path)
        cfa = info.cfa if len(planes) == 1 else None
        noise = colour_noise(planes, cfa)
        full = saturation(planes, info.white_dn)
        measured = measure(
            planes,
            cfa,
            bench.settings.detection,
            saturation_dn=None if full is None else full.level_dn,
            noise_dn=noise,
        )
        return MeasuredFile(info, measured), _signal_to_noise(_sampled(planes), noise)

    batch = each_file("Measuring", paths, work, bench, bytes_each=frame_bytes(paths))
    if not batch.done:
        return Batch((), batch.failures)
    files = [file for file, _ in batch.done]
    ratios = np.array([ratio for _, ratio in batch.done])
    measurements = [file.measurement for file in files]
    scores = reference_scores(measurements)
    try:
        best = choose_reference(measurements)
    except RegistrationError:  # no file shows enough stars: none is the reference
        best = -1
    return Batch(
        tuple(
            replace(
                file,
                weight=float(ratios[index] / ratios.mean()) if ratios.mean() > 0 else float("nan"),
                score=float(scores[index]),
                is_reference=index == best,
            )
            for index, file in enumerate(files)
        ),
        batch.failures,
    )


def _sampled(planes: np.ndarray[Any, np.dtype[np.float32]]) -> FrameStatistics | None:
    """Return the statistics of evenly spaced rows; None for a frame without pixels."""
    step = max(1, planes[0].size // _SAMPLED_PIXELS)
    try:
        return frame_statistics(planes[:, ::step])
    except ValueError:
        return None


def _signal_to_noise(statistics: FrameStatistics | None, noise: Sequence[float]) -> float:
    """Return the squared ratio of scale to noise; 0 where there is no noise to compare with."""
    sigma = float(np.mean(noise))
    if statistics is None or not sigma > 0:
        return 0.0
    return (float(np.mean(statistics.scale_low + statistics.scale_high)) / 2 / sigma) ** 2
