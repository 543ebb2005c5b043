"""Cosmetic correction of files (guide, section 9.1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lightframe.errors import IncompatibleFramesError, InputError, SettingsError
from lightframe.frames import CfaPattern, FrameInfo, FrameKind, read_image
from lightframe.processes import (
    Defects,
    correct_defects,
    defects_from_dark,
    detect_defects,
)
from lightframe.session._batch import Batch
from lightframe.session._defect_list import read_defect_list
from lightframe.session._given_master import differences, refuse_exchanged
from lightframe.session._records import unknown_light
from lightframe.session._settings import RunSettings
from lightframe.session._steps import Bench, each_file
from lightframe.session._steps_calibrate import frame_bytes
from lightframe.session._steps_headers import as_mosaic, done
from lightframe.session._steps_output import OutputSettings, Written, output_files, write

__all__ = ["CorrectedFile", "correct_files"]

_SMALLEST_PX = 12
"""Least side of an image in which neighbourhoods make sense: two X-Trans cells."""


@dataclass(frozen=True, slots=True)
class CorrectedFile:
    """One cosmetically corrected file.

    Attributes
    ----------
    info : FrameInfo
        As it was.
    defects : Defects
        What was found, by kind.
    replaced : int
        Samples that got a new value.
    written : Written
        The result.
    remarks : tuple of str
        In what the dark does not fit it, and what makes correcting it less than it could be.
    """

    info: FrameInfo
    defects: Defects
    replaced: int
    written: Written
    remarks: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, named as in the ``lights`` of run.json."""
        return unknown_light(self.info.path, self.info.exposure_s) | {
            "used": True,
            "reason": "",
            "defects": self.defects.counts(),
            "replaced": self.replaced,
            "output": str(self.written.path),
            "truncated": self.written.truncated,
            "notes": list(self.remarks),
        }


def correct_files(
    paths: Sequence[Path],
    folder: Path,
    bench: Bench,
    output: OutputSettings = OutputSettings(),
    *,
    dark: Path | None = None,
    with_map: bool = False,
) -> Batch[CorrectedFile]:
    """Replace hot and cold pixels and write the files as ``<name>_cc``.

    Parameters
    ----------
    paths : sequence of Path
        Calibrated frames, not debayered.
    folder : Path
        Where to write.
    bench : Bench
        Settings: ``cosmetic``.
    output : OutputSettings
        Format, scale and samples of the results.
    dark : Path, optional
        Master dark whose hot and cold pixels are defects of all frames.
    with_map : bool
        Add the map of defects to each file: 0 good, or the sum of 1 hot, 2 cold, 4 listed.

    Raises
    ------
    SettingsError
        If there is nothing to find defects with.
    InputError
        If the dark cannot be read.
    """
    settings = bench.settings.cosmetic
    if dark is None and not settings.detect and settings.defect_list is None:
        raise SettingsError(
            "nothing to find defects with",
            remedy="give --dark or --defect-list, or leave detection on",
        )
    known = _KnownDefects(bench.settings, dark, bench.threads)
    names = output_files(paths, folder, "_cc", output, bench.progress.message)

    def work(path: Path) -> CorrectedFile:
        info, planes = read_image(path)
        if min(info.height, info.width) < _SMALLEST_PX:
            raise InputError(
                f"{info.width} x {info.height} pixels are too few to tell defects from signal",
                where=path,
            )
        cfa = info.cfa if len(planes) == 1 else None
        defects = known.of(info).merged(detect_defects(planes, cfa, settings))
        repairs = correct_defects(
            planes,
            defects,
            cfa=cfa,
            radius=settings.radius,
            fill_missing=settings.fill_missing,
        )
        counts = defects.counts()
        header = done(
            as_mosaic(info.header, info),
            *([f"CosmeticCorrection.masterDark.fileName: {dark.name}"] if dark else []),
            *(f"CosmeticCorrection.{kind}Pixels: {count}" for kind, count in counts.items()),
        )
        maps = []
        if with_map:
            maps.append(("DEFECTS", defects.map(info.height, info.width)[None].astype(np.float32)))
        written = write(names[path], planes, header, output, cfa=cfa, maps=maps)
        return CorrectedFile(info, defects, repairs.count, written, tuple(known.remarks(info)))

    return each_file("Correcting", paths, work, bench, bytes_each=frame_bytes(paths))


class _KnownDefects:
    """Defects that are known before a light is looked at: of the dark, and of the list."""

    def __init__(self, settings: RunSettings, dark: Path | None, threads: int) -> None:
        self._settings = settings.cosmetic
        self._match = settings.match
        self._dark: FrameInfo | None = None
        self._of_dark = Defects.none()
        if dark is not None:
            self._dark, pixels = read_image(dark)
            refuse_exchanged(self._dark, FrameKind.DARK)
            for plane in pixels:
                found = defects_from_dark(plane, self._dark.cfa, self._settings, threads=threads)
                self._of_dark = self._of_dark.merged(found)

    def of(self, info: FrameInfo) -> Defects:
        """Return the defects of a frame.

        Raises
        ------
        InputError
            If dark or list do not fit it.
        """
        dark = self._dark
        if dark is not None:
            for quantity, own, others in (
                ("size (rows, columns)", info.shape, dark.shape),
                ("CFA pattern", info.cfa, dark.cfa),
            ):
                if own is not None and others is not None and own != others:
                    raise IncompatibleFramesError(
                        quantity,
                        (info.path.name, _shown(own)),
                        (dark.path.name, _shown(others)),
                        remedy="give the dark of this camera, binning and sub-frame",
                    )
        listed = self._settings.defect_list
        if listed is None:
            return self._of_dark
        found = read_defect_list(listed, height=info.height, width=info.width)
        return self._of_dark.merged(found)

    def remarks(self, info: FrameInfo) -> Iterator[str]:
        """Yield in what the dark does not fit a frame, and that the frame comes too late."""
        if self._dark is not None:
            # Hot pixels are hot at any exposure, and stand out from their dark's own level.
            yield from differences(
                self._dark, FrameKind.DARK, info, self._match, {"exposure", "offset"}
            )
        if info.channels > 1:
            yield (
                f"{info.channels} planes: interpolation has spread hot pixels over their"
                " neighbours; correct mosaics before they are debayered"
            )


def _shown(value: object) -> object:
    return value.name if isinstance(value, CfaPattern) else value
