"""Files that single steps write: their names, their format, and what truncation cost."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from lightframe.arrays import Float32
from lightframe.errors import SettingsError
from lightframe.frames import CfaPattern, Header, XisfImage, formats, write_fits, write_xisf
from lightframe.session._file_names import LONGEST_NAME, shortened
from lightframe.settings import OneOf, Settings
from lightframe.tables import Table

__all__ = ["OUTPUT_FORMATS", "OutputSettings", "Written", "output_file", "output_files", "write"]


OUTPUT_FORMATS: Table[str] = Table("output format")
"""Formats that are written, and the suffix of each."""

OUTPUT_FORMATS.enter("auto", "by the suffix of the name given, FITS where there is none", ".fits")
OUTPUT_FORMATS.enter("fits", "FITS", ".fits")
OUTPUT_FORMATS.enter("xisf", "XISF 1.0, compressed", ".xisf")

_FORMAT_OF_SUFFIX = {".fits": "fits", ".fit": "fits", ".fts": "fits", ".xisf": "xisf"}


class OutputSettings(Settings):
    """How files are written."""

    format: Annotated[str, OneOf(OUTPUT_FORMATS)] = "auto"
    """Format of the files."""

    units: Literal["unit", "dn"] = "unit"
    """Scale of floating-point pixels: unit is DN / 65535, dn is DN (FITS only)."""

    sample_format: Literal["float32", "uint16"] = "float32"
    """float32 is never truncated; uint16 is rounded and truncated to 0..65535, and counted."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written.

    Attributes
    ----------
    path : Path
        The file.
    truncated : int
        Samples that did not fit into the integers; always 0 for floating point.
    """

    path: Path
    truncated: int


def output_file(path: Path, inputs: Sequence[Path], tell: Callable[[str], None]) -> Path:
    """Check that a file can be written, and make its folder.

    Parameters
    ----------
    path : Path
        The file.
    inputs : sequence of Path
        What must not be replaced.
    tell : callable
        Is told of a file that is there already, and will be replaced.

    Raises
    ------
    SettingsError
        If it is one of the inputs, has a suffix of no format, or its folder cannot be made.
    """
    if path.suffix.lower() not in _FORMAT_OF_SUFFIX:
        suffix = path.suffix
        raise SettingsError(
            f"{suffix} is the suffix of no format that is written"
            if suffix
            else "has no suffix, which would tell the format",
            where=path,
            remedy=f"end the name with one of: {', '.join(_FORMAT_OF_SUFFIX)}",
        )
    make_folder(path.parent)
    _keep_inputs([path], inputs)
    _tell_of_replaced([path], tell)
    return path


def output_files(
    inputs: Sequence[Path],
    folder: Path,
    suffix: str,
    settings: OutputSettings,
    tell: Callable[[str], None],
    also_read: Sequence[Path] = (),
) -> dict[Path, Path]:
    """Name the output of each input: its name without ending, `suffix`, the format's ending.

    A name that would be too long is cut, and ends with a hash of the whole.

    Parameters
    ----------
    inputs : sequence of Path
        The files.
    folder : Path
        Where to write; made if it does not exist.
    suffix : str
        What the step adds to the name, e.g. ``"_c"``.
    settings : OutputSettings
        The format.
    tell : callable
        Is told of files that are there already, and will be replaced.
    also_read : sequence of Path
        Files that must not be replaced either.

    Raises
    ------
    SettingsError
        If two inputs would be written to the same file, an input would be overwritten, or the
        folder cannot be made.
    """
    ending = OUTPUT_FORMATS[settings.format]
    room = LONGEST_NAME - len(suffix) - len(ending)
    names = {path: folder / f"{shortened(stem(path), room)}{suffix}{ending}" for path in inputs}
    twice = [name for name, count in Counter(names.values()).items() if count > 1]
    if twice:
        rivals = [path for path, name in names.items() if name == twice[0]]
        raise SettingsError(
            f"{' and '.join(map(str, rivals))} would be written to the same file",
            where=twice[0],
            **_why_twice(rivals),
        )
    make_folder(folder)
    _keep_inputs(list(names.values()), [*inputs, *also_read])
    _tell_of_replaced(list(names.values()), tell)
    return names


def _why_twice(rivals: Sequence[Path]) -> dict[str, str]:
    """Return cause and remedy of two inputs that have one output."""
    if len({path.resolve() for path in rivals}) == 1:
        return {"cause": "it is the same file, given twice", "remedy": "give each file once"}
    return {
        "cause": "files of different folders have the same name",
        "remedy": "work on one folder at a time, into output folders of their own",
    }


def _tell_of_replaced(outputs: Sequence[Path], tell: Callable[[str], None]) -> None:
    """Tell of files of an earlier time that will be replaced."""
    there = [path for path in outputs if path.exists()]
    if len(there) == 1:
        tell(f"{there[0]} is there already, and will be replaced")
    elif there:
        tell(f"{len(there)} files are there already, and will be replaced: {there[0]}, ...")


def _keep_inputs(outputs: Sequence[Path], inputs: Sequence[Path]) -> None:
    """Raise if an output would replace an input."""
    originals = {path.resolve(): path for path in inputs}
    for path in outputs:
        if path.resolve() in originals:
            raise SettingsError(
                "the output would replace an input",
                where=path,
                remedy="choose another name or folder with -o",
            )


def stem(path: Path) -> str:
    """Return a file's name without the ending of its format, e.g. of ``a.fits.fz``."""
    name = path.name
    endings = sorted(
        (suffix for reader in formats.values() for suffix in reader.suffixes), key=len, reverse=True
    )
    while ending := next((e for e in endings if name.lower().endswith(e) and name != e), ""):
        name = name[: -len(ending)]
    return name


def make_folder(folder: Path) -> None:
    """Make an output folder.

    Raises
    ------
    SettingsError
        If that is impossible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"the output folder cannot be made: {error.strerror}",
            where=folder,
            cause="there is a file of that name, or the disk is read-only",
            remedy="choose another folder with -o",
        ) from error


def write(  # noqa: PLR0913 - an image has pixels, cards, colours and maps
    path: Path,
    planes: Float32,
    header: Header,
    settings: OutputSettings,
    *,
    cfa: CfaPattern | None = None,
    maps: Sequence[tuple[str, Float32]] = (),
    image_type: str = "",
) -> Written:
    """Write an image and the maps that belong to it, in the format that settings or name say.

    Parameters
    ----------
    path : Path
        The file.
    planes : ndarray of float32, shape (channels, height, width)
        DN; NaN is missing.
    header : Header
        Its cards.
    settings : OutputSettings
        Format and samples.
    cfa : CfaPattern or None
        Colours of a mosaic; in FITS they are cards of the header.
    maps : sequence of (str, ndarray of float32)
        Further images by name: extensions of FITS, images of XISF.
    image_type : str
        XISF's ``imageType``.

    Raises
    ------
    SettingsError
        If the format does not have the units.
    """
    kind = settings.format
    if kind == "auto":
        kind = _FORMAT_OF_SUFFIX.get(path.suffix.lower(), "fits")
    if kind == "fits":
        report = write_fits(
            path,
            planes,
            header,
            extensions=maps,
            units=settings.units,
            sample_format=settings.sample_format,
        )
        return Written(path, report.clipped_low + report.clipped_high)
    check_units(settings, kind)
    images = [XisfImage(planes, header, cfa=cfa, image_type=image_type)]
    images += [
        XisfImage(array, name=name.lower(), full_scale_dn=1.0, sample_format="float32")
        for name, array in maps
    ]
    return Written(path, write_xisf(path, images, sample_format=settings.sample_format))


def check_units(settings: OutputSettings, kind: str) -> None:
    """Raise unless the format has the units."""
    if kind == "xisf" and settings.units == "dn" and settings.sample_format == "float32":
        raise SettingsError(
            "XISF holds floating-point pixels between 0 and 1",
            remedy="leave the units as they are, or write FITS",
        )
