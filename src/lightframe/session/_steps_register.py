"""Registration of files to the best or to a given one of them (guide, section 9.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.errors import InputError, RegistrationError
from lightframe.frames import Window, open_pixels
from lightframe.processes import Registration, register
from lightframe.session._sources import RegisteredSource
from lightframe.session._steps import Batch, Bench, Failure, each_file, plain
from lightframe.session._steps_calibrate import frame_bytes
from lightframe.session._steps_headers import astrometry_of, done, without_astrometry
from lightframe.session._steps_measure import MeasuredFile, measure_files
from lightframe.session._steps_output import OutputSettings, Written, output_files, write

__all__ = ["RegisteredFile", "register_files"]

_ATTEMPTS = 3
"""References that are tried where more than half of the files cannot be registered."""


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
    output: OutputSettings = OutputSettings(),  # noqa: B008 - frozen
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
    everything = list(dict.fromkeys([*paths, *([reference] if reference is not None else [])]))
    names = (
        {}
        if folder is None
        else output_files(everything, folder, "_r", output, bench.progress.message)
    )
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
    if given is not None:
        order = [next(file for file in files if file.info.path == given)]
    else:
        order = sorted((file for file in files if np.isfinite(file.score)), key=lambda f: -f.score)[
            :_ATTEMPTS
        ]
    if not order:
        raise RegistrationError(
            f"none of {len(files)} files shows enough stars to be the registration reference",
            cause="the files are no lights, out of focus, clouded, or too short",
            remedy="look at the files; lower the detection threshold if there are stars",
        )
    best: tuple[list[RegisteredFile], list[Failure]] = ([], [])
    for reference in order:
        attempt = _aligned_to(reference, files, bench)
        if len(attempt[0]) > len(best[0]):
            best = attempt
        if 2 * len(best[0]) > len(files):
            break
    return best


def _aligned_to(
    reference: MeasuredFile, files: Sequence[MeasuredFile], bench: Bench
) -> tuple[list[RegisteredFile], list[Failure]]:
    aligned, failures = [], []
    for file in files:
        if file is reference:
            aligned.append(RegisteredFile(file, None, np.eye(3)))
            continue
        try:
            found = register(
                file.measurement.stars,
                reference.measurement.stars,
                bench.settings.registration,
                shape=file.info.shape,
                reference_shape=reference.info.shape,
            )
        except RegistrationError as error:
            failures.append(Failure(file.info.path, error))
        else:
            aligned.append(RegisteredFile(file, found, found.transform))
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
        grid.info.height,
        grid.info.width,
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
        rows = "; ".join(" ".join(f"{value:.9g}" for value in row) for row in found.transform)
        lines += [
            f"StarAlignment.model: {found.model}",
            f"StarAlignment.pairs: {found.inliers}",
            f"StarAlignment.rms: {found.rms_px:.4f} px",
            f"StarAlignment.interpolation: {bench.settings.resampling.interpolation}",
            f"StarAlignment.transform: {rows}",
        ]
        header = without_astrometry(header).adding(*astrometry_of(grid.info.header))
    written = write(name, planes, done(header, *lines), output)
    return RegisteredFile(file.measured, file.registration, file.transform, written)
