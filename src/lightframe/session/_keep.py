"""Intermediate images, for those who want them: ``--keep calibrated,debayered,registered``."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from lightframe.frames import Card, PixelSource, Window, write_fits
from lightframe.session._context import Context
from lightframe.session._file_names import shortened, slug, unique_names
from lightframe.session._lights import MeasuredLight
from lightframe.session._provenance import cfa_cards, history, noise_cards
from lightframe.session._steps_headers import as_colour, without_astrometry
from lightframe.session._steps_output import stem

__all__ = ["keep", "keep_before_registration", "names_of"]

_LONGEST_STEM = 150
"""Bytes of a name that are kept: the folder's name, a number and an ending find room."""

_SCALING = ("BZERO", "BSCALE", "PEDESTAL")


def names_of(lights: Iterable[Path]) -> dict[Path, str]:
    """Name what is kept of each light: as its file, and its folder where others are named alike."""
    paths = list(lights)
    stems = [shortened(stem(path), _LONGEST_STEM) for path in paths]
    names = unique_names(stems, [slug(path.parent.name) for path in paths])
    return dict(zip(paths, names, strict=True))


def keep_before_registration(light: MeasuredLight, context: Context) -> None:
    """Write the calibrated and the debayered light, as far as they are wanted."""
    wanted = context.settings.keep
    if "calibrated" in wanted:
        keep(light, light.calibrated(context), "calibrated", context)
    if "debayered" in wanted and light.cfa is not None:
        keep(light, light.source(context), "debayered", context)


def keep(
    light: MeasuredLight,
    source: PixelSource,
    stage: str,
    context: Context,
    registration: Sequence[str] = (),
) -> None:
    """Write one image of a light.

    The name tells what has been done to it, in the order in which it was done: ``_c`` calibrated,
    ``_cc`` cosmetically corrected, ``_d`` debayered, ``_r`` registered. Negative values are kept.
    The header has the noise from before interpolation, and what `lightframe debayer` and
    ``register`` would have written.

    Parameters
    ----------
    light : MeasuredLight
        The light.
    source : PixelSource
        Its pixels at that stage.
    stage : str
        ``calibrated``, ``debayered`` or ``registered``.
    context : Context
        Where to write.
    registration : sequence of str
        HISTORY of the registration.
    """
    folder = context.out / stage
    folder.mkdir(exist_ok=True)
    suffix = "_c"
    if stage != "calibrated":
        suffix += "_cc" if light.defects is not None else ""
        suffix += "_d" if light.cfa is not None else ""
        suffix += "_r" if stage == "registered" else ""
    pixels = np.empty((source.channels, source.height, source.width), np.float32)
    source.read(Window(0, source.height, 0, source.width), pixels)
    header = as_colour(light.info.header).without(*_SCALING)
    lines = list(registration)
    if stage == "calibrated":
        header = header.adding(*cfa_cards(light.info))
    elif light.cfa is not None:
        lines = [
            f"Debayer.method: {context.settings.debayer}",
            f"Debayer.cfaPattern: {light.cfa.name}",
            *lines,
        ]
    if stage == "registered":
        header = without_astrometry(header)
    header = header.adding(*noise_cards(light.noise_dn, context.settings.units))
    assignment = light.treatment.assignment
    letters = [
        letter
        for letter, name in (
            ("B", assignment.bias or assignment.dark),
            ("D", assignment.dark),
            ("F", assignment.flat),
        )
        if name
    ]
    header = header.replacing(Card("CALSTAT", "".join(letters), "calibration applied"))
    header = header.adding(
        *history(
            *(
                f"ImageCalibration.{role}: {name}"
                for role in ("bias", "dark", "flat")
                if (name := getattr(assignment, role)) is not None
            ),
            *lines,
        )
    )
    report = write_fits(
        folder / f"{context.names[light.info.path]}{suffix}.fits",
        pixels,
        header,
        units=context.settings.units,
    )
    context.meter.wrote(report.bytes)
