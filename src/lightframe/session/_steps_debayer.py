"""Debayering of files (guide, section 9.2)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lightframe.errors import InputError
from lightframe.frames import COLOURS, Card, CfaPattern, FrameInfo, Header, read_image
from lightframe.processes import debayer, debayer_scale
from lightframe.session._batch import Batch
from lightframe.session._json_values import plain
from lightframe.session._noise import colour_noise
from lightframe.session._records import unknown_light
from lightframe.session._steps import Bench, each_file
from lightframe.session._steps_calibrate import frame_bytes
from lightframe.session._steps_headers import (
    as_colour,
    done,
    noise_in_pixel_units,
    without_astrometry,
)
from lightframe.session._steps_output import OutputSettings, Written, output_files, write

__all__ = ["DebayeredFile", "debayer_files"]

_PIXEL_SIZES = ("XPIXSZ", "YPIXSZ", "PIXSIZE1", "PIXSIZE2")


@dataclass(frozen=True, slots=True)
class DebayeredFile:
    """One debayered file.

    Attributes
    ----------
    info : FrameInfo
        The mosaic, with the pattern that was used.
    noise_dn : tuple of float
        Noise of red, green and blue, measured on the mosaic: interpolation correlates it.
    written : tuple of Written
        The colour image, or one file a channel.
    """

    info: FrameInfo
    noise_dn: tuple[float, ...]
    written: tuple[Written, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        pattern = None if self.info.cfa is None else self.info.cfa.name
        result: dict[str, Any] = plain(
            unknown_light(self.info.path, self.info.exposure_s)
            | {
                "used": True,
                "reason": "",
                "cfa": pattern,
                "noise_dn": list(self.noise_dn),
                "output": [str(written.path) for written in self.written],
                "truncated": sum(written.truncated for written in self.written),
            }
        )
        return result


def debayer_files(
    paths: Sequence[Path],
    folder: Path,
    bench: Bench,
    output: OutputSettings = OutputSettings(),
    *,
    pattern: CfaPattern | None = None,
    separate_channels: bool = False,
) -> Batch[DebayeredFile]:
    """Debayer mosaics and write them as ``<name>_d``.

    Parameters
    ----------
    paths : sequence of Path
        Mosaics.
    folder : Path
        Where to write.
    bench : Bench
        Settings: ``debayer``.
    output : OutputSettings
        Format, scale and samples of the results.
    pattern : CfaPattern, optional
        Colours from the first stored pixel on, whatever the headers say.
    separate_channels : bool
        Write one file a channel: ``_d_R``, ``_d_G``, ``_d_B``.

    Returns
    -------
    Batch of DebayeredFile
        One each; files that cannot be read, or are no mosaics, are set aside.
    """
    method = bench.settings.debayer
    names = {
        channel: output_files(
            paths,
            folder,
            f"_d_{channel}" if channel else "_d",
            output,
            bench.progress.message,
        )
        for channel in (COLOURS if separate_channels else ("",))
    }

    def work(path: Path) -> DebayeredFile:
        info, planes = read_image(path)
        cfa = _mosaic_cfa(path, len(planes), pattern or info.cfa)
        noise = colour_noise(planes, cfa)
        image = debayer(planes[0], cfa, method)
        lines = (f"Debayer.method: {method}", f"Debayer.cfaPattern: {cfa.name}")
        header = done(_shrunk(as_colour(info.header), debayer_scale(method, cfa)), *lines)
        written = []
        for index, (channel, names_of_channel) in enumerate(names.items()):
            part = image[index : index + 1] if channel else image
            sigmas = noise[index : index + 1] if channel else noise
            own = header.replacing(Card("FILTER", channel, "colour channel")) if channel else header
            cards = noise_in_pixel_units(sigmas, output)
            written.append(write(names_of_channel[path], part, own.adding(*cards), output))
        return DebayeredFile(replace(info, cfa=cfa), noise, tuple(written))

    return each_file("Debayering", paths, work, bench, bytes_each=2 * frame_bytes(paths))


def _mosaic_cfa(path: Path, planes: int, cfa: CfaPattern | None) -> CfaPattern:
    """Return the pattern of a file that is a mosaic; raise `InputError` otherwise."""
    if planes != 1:
        raise InputError(f"has {planes} planes already", where=path)
    if cfa is None:
        raise InputError(
            "is no mosaic: its header names no colour filter array",
            where=path,
            cause="a monochrome frame, or the header lost BAYERPAT",
            remedy="name the pattern, e.g. --pattern RGGB",
        )
    return cfa


def _shrunk(header: Header, scale: int) -> Header:
    """Return the header of an image whose pixels are `scale` times as large."""
    if scale == 1:
        return header
    sizes = [
        Card(card.keyword, card.value * scale, card.comment)
        for card in header
        if card.keyword.upper() in _PIXEL_SIZES and isinstance(card.value, int | float)
    ]
    return without_astrometry(header).replacing(*sizes)
