"""Registration of files to the best or to a given one of them (guide, section 9.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.errors import InputError
from lightframe.frames import Window, open_pixels
from lightframe.processes import Registration
from lightframe.session._batch import Batch, Failure
from lightframe.session._json_values import plain
from lightframe.session._provenance import transform_text
from lightframe.session._registering import register_all
from lightframe.session._sources import RegisteredSource
from lightframe.session._steps import Bench, each_file
from lightframe.session._steps_calibrate import frame_bytes
from lightframe.session._steps_headers import astrometry_of, done, without_astrometry
from lightframe.session._steps_measure import MeasuredFile, measure_files
from lightframe.session._steps_output import OutputSettings, Written, output_files, write

__all__ = ["RegisteredFile", "register_files"]


@dataclass(frozen=True, slots=True)
class RegisteredFile:
    """One registered file.

    Attributes
    ----------
    measured : MeasuredFile
        What its pixels say.
    registration : Registration or None
        How it lies on the reference; None for the reference itself.
    transform : ndarray of float64, shape (3, 3)
        Its pixel (x, y, 1) -> pixel of the reference.
    written : Written or None
        The result; None if only the transforms were wanted.
    """

    measured: MeasuredFile
    registration: Registration | None
    transform: npt.NDArray[np.float64]
    written: Written | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, named as in the ``lights`` of run.json."""
        found = self.registration
        described = None
        if found is not None:
            described = {
                "model": found.model,
                "model_reason": found.model_reason,
                "inliers": found.inliers,
                "rms_px": found.rms_px,
                "rotation_deg": found.rotation_deg,
                "scale": found.scale,
                "shift_px": list(found.shift_px),
                "overlap": found.overlap,
            }
        result: dict[str, Any] = plain(
            self.measured.as_dict()
            | {
                "reference": found is None,
                "transform": self.transform.tolist(),
                "registration": described,
                "output": None if self.written is None else str(self.written.path),
                "truncated": 0 if self.written is None else self.written.truncated,
            }
        )
        return result


def register_files(
    paths: Sequence[Path],
    folder: Path | None,
    bench: Bench,
    output: OutputSettings = OutputSettings(),
    *,
    reference: Path | None = None,
) -> Batch[RegisteredFile]:
    """Bring files onto one grid and write them as ``<name>_r``.

    Parameters
    ----------
    paths : sequence of Path
        Calibrated, for mosaics debayered, lights.
    folder : Path or None
        Where to write; None finds the transforms only, of mosaics, too.
    bench : Bench
        Settings: ``detection``, ``registration``, ``resampling``.
    output : OutputSettings
        Format, scale and samples of the results.
    reference : Path, optional
        The file whose grid is kept; it need not be one of `paths`. By default the best of them.

    Returns
    -------
    Batch of RegisteredFile
        In the order of `paths`; files that cannot be registered are set aside with the reason.

    Raises
    ------
    InputError
        If the reference cannot be read, or no file shows enough stars to be one.
    """
    if reference is not None:  # it may be named in another way than among the files
        real = reference.resolve()
        reference = next((path for path in paths if path.resolve() == real), reference)
    given = [] if reference is None else [reference]
    everything = list(dict.fromkeys([*paths, *given]))
    names = {}
    if folder is not None:
        names = output_files(paths, folder, "_r", output, bench.progress.message, given)
    measured = measure_files(everything, bench)
    failures = [failure for failure in measured.failures if failure.path != reference]
    lost = next((f for f in measured.failures if f.path == reference), None)
    if lost is not None:
        raise lost.error
    if not measured.done:
        return Batch((), tuple(failures))
    found, refused = _aligned(measured.done, reference, bench)
    failures += refused
    wanted = set(paths)
    found = [file for file in found if file.measured.info.path in wanted]
    if folder is None:
        return Batch(tuple(found), tuple(failures))
    grid = next(
        file for file in measured.done if file.info.path == _reference_path(found, reference)
    )
    by_path = {file.measured.info.path: file for file in found}

    def work(path: Path) -> RegisteredFile:
        return _write(by_path[path], grid, names[path], bench, output)

    written = each_file(
        "Resampling", list(by_path), work, bench, bytes_each=2 * frame_bytes(list(by_path))
    )
    return Batch(written.done, (*failures, *written.failures))


def _reference_path(found: Sequence[RegisteredFile], given: Path | None) -> Path:
    if given is not None:
        return given
    return next(file.measured.info.path for file in found if file.registration is None)


def _aligned(
    files: Sequence[MeasuredFile], given: Path | None, bench: Bench
) -> tuple[list[RegisteredFile], list[Failure]]:
    """Register all files to the given or the best one, or to the next best if that fails."""
    reference = None
    if given is not None:
        reference = next(index for index, file in enumerate(files) if file.info.path == given)
    registered = register_all(
        [file.measurement for file in files],
        [file.info.shape for file in files],
        bench.settings.registration,
        reference=reference,
        threads=bench.threads,
    )
    aligned = [
        RegisteredFile(file, None, np.eye(3))
        if index == registered.reference
        else RegisteredFile(file, registered.found[index], registered.found[index].transform)
        for index, file in enumerate(files)
        if index not in registered.failed
    ]
    failures = [Failure(files[i].info.path, error) for i, error in registered.failed.items()]
    return aligned, failures


def _write(
    file: RegisteredFile, grid: MeasuredFile, name: Path, bench: Bench, output: OutputSettings
) -> RegisteredFile:
    """Resample a file onto the grid of the reference."""
    info = file.measured.info
    if info.cfa is not None and info.channels == 1:
        raise InputError(
            "is a mosaic: interpolating it would mix its colours",
            where=info.path,
            remedy="debayer it first (lightframe debayer), or leave out -o for the transforms only",
        )
    source = RegisteredSource(
        open_pixels(info.path),
        np.asarray(np.linalg.inv(file.transform), np.float64),
        grid.info.shape,
        bench.settings.resampling,
    )
    planes = np.empty((source.channels, source.height, source.width), np.float32)
    try:
        source.read(Window(0, source.height, 0, source.width), planes)
    finally:
        source.close()
    lines = [f"StarAlignment.referenceImage: {grid.info.path.name}"]
    header = info.header
    if file.registration is not None:
        found = file.registration
        lines += [
            f"StarAlignment.model: {found.model}",
            f"StarAlignment.pairs: {found.inliers}",
            f"StarAlignment.rms: {found.rms_px:.4f} px",
            f"StarAlignment.interpolation: {bench.settings.resampling.interpolation}",
            f"StarAlignment.transform: {transform_text(found.transform)}",
        ]
        header = without_astrometry(header).adding(*astrometry_of(grid.info.header))
    written = write(name, planes, done(header, *lines), output)
    return RegisteredFile(file.measured, file.registration, file.transform, written)
