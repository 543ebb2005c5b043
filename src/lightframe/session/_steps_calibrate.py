"""Calibration of files with given masters (guide, section 8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.errors import InputError
from lightframe.frames import FrameInfo, Window, open_pixels, read_info
from lightframe.kernels._constants import FULL_SCALE
from lightframe.processes import CalibrationRecord, calibrated_header
from lightframe.session._batch import Batch
from lightframe.session._calibrator import Calibrator
from lightframe.session._json_values import plain
from lightframe.session._provenance import cfa_cards
from lightframe.session._records import unknown_light
from lightframe.session._steps import Bench, each_file
from lightframe.session._steps_output import OutputSettings, Written, output_files, write

__all__ = ["CalibratedFile", "calibrate_files", "frame_bytes", "read_raw"]

_BYTES_PER_PIXEL = 20
"""Raw and calibrated pixels, and what evaluating the noise takes."""


@dataclass(frozen=True, slots=True)
class CalibratedFile:
    """One calibrated file.

    Attributes
    ----------
    info : FrameInfo
        The raw frame.
    record : CalibrationRecord
        What was done to it.
    written : Written
        The result.
    remarks : tuple of str
        In what the masters do not fit this frame.
    """

    info: FrameInfo
    record: CalibrationRecord
    written: Written
    remarks: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, named as in the ``lights`` of run.json."""
        record, info = self.record, self.info
        scale = record.dark_scale
        entry = unknown_light(info.path, info.exposure_s) | record.as_dict()
        entry |= {
            "used": True,
            "reason": "",
            "masters": dict.fromkeys(("bias", "dark", "flat")) | dict(record.masters),
            "k": None if scale is None else scale.k,
            "k_per_colour": None if scale is None or not scale.parts else list(scale.factors),
            "noise_dn": None if record.noise is None else _by_colour(record, info),
            "input_pedestal_dn": record.input_pedestal.dn,
            "output": str(self.written.path),
            "truncated": self.written.truncated,
            "notes": [*record.notes, *self.remarks],
        }
        result: dict[str, Any] = plain(entry)
        return result


def _by_colour(record: CalibrationRecord, info: FrameInfo) -> list[float]:
    """Return the noise of each channel, or of red, green and blue: equal colours together."""
    if record.noise is None:
        return []
    squares: dict[str, list[float]] = {}
    for name, sigma in zip(record.noise.planes, record.noise.sigma_dn, strict=True):
        squares.setdefault(name[:1] if info.cfa is not None else name, []).append(sigma**2)
    return [float(np.sqrt(np.mean(values))) for values in squares.values()]


def read_raw(path: Path) -> tuple[FrameInfo, npt.NDArray[np.uint16] | npt.NDArray[np.float32]]:
    """Read a whole frame in the type it is integrated in: uint16, or float32."""
    info = read_info(path)
    source = open_pixels(path)
    try:
        kind = np.uint16 if source.dtype == np.uint16 else np.float32
        pixels = np.empty((source.channels, source.height, source.width), kind)
        source.read(Window(0, source.height, 0, source.width), pixels)
    finally:
        source.close()
    return info, pixels


def calibrate_files(
    paths: Sequence[Path],
    folder: Path,
    calibrator: Calibrator,
    bench: Bench,
    output: OutputSettings = OutputSettings(),
) -> Batch[CalibratedFile]:
    """Calibrate files and write them as ``<name>_c``.

    Parameters
    ----------
    paths : sequence of Path
        Raw frames.
    folder : Path
        Where to write.
    calibrator : Calibrator
        Masters and settings.
    bench : Bench
        Progress and threads.
    output : OutputSettings
        Format, scale and samples of the results.

    Returns
    -------
    Batch of CalibratedFile
        Frames that cannot be read, or do not fit the masters, are set aside.

    Raises
    ------
    SettingsError
        If masters and settings contradict each other, or the folder cannot be written to.
    """
    names = output_files(paths, folder, "_c", output, bench.progress.message)

    def work(path: Path) -> CalibratedFile:
        info, raw = read_raw(path)
        frame = calibrator.calibrate(info, raw)
        prepared = calibrator.prepared(info)
        in_dn = output.units == "dn" or output.sample_format == "uint16"
        header = calibrated_header(
            info.header,
            frame.record,
            prepared,
            unit_dn=1.0 if in_dn else FULL_SCALE,
            digests=calibrator.digests,
        )
        if prepared.removes_bias:
            header = header.without("BLACKDN")
        if prepared.cfa is not None and header.get("BAYERPAT") is None:
            header = header.adding(*cfa_cards(info))
        written = write(names[path], frame.planes, header, output, cfa=prepared.cfa)
        return CalibratedFile(info, frame.record, written, calibrator.remarks(info))

    return each_file("Calibrating", paths, work, bench, bytes_each=frame_bytes(paths))


def frame_bytes(paths: Sequence[Path]) -> int:
    """Return roughly what calibrating one of the files takes in memory."""
    for path in paths:
        try:
            info = read_info(path)
        except InputError:
            continue  # it is set aside, with its reason, when it is its turn
        return _BYTES_PER_PIXEL * info.height * info.width * info.channels
    return 0
