"""Intermediate images, for those who want them: ``--keep calibrated,debayered,registered``."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from lightframe.frames import Card, Header, PixelSource, Window, write_fits
from lightframe.processes import with_saturation
from lightframe.session._context import Context
from lightframe.session._file_names import shortened, slug, unique_names
from lightframe.session._lights import MeasuredLight
from lightframe.session._plan_types import Assignment
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
    pixels = np.empty((source.channels, source.height, source.width), np.float32)
    source.read(Window(0, source.height, 0, source.width), pixels)
    header = _header(light, stage, registration, context)
    path = folder / f"{context.names[light.info.path]}{_suffix(light, stage)}.fits"
    report = write_fits(path, pixels, header, units=context.settings.units)
    context.meter.wrote(report.bytes)


def _suffix(light: MeasuredLight, stage: str) -> str:
    if stage == "calibrated":
        return "_c"
    corrected = "_cc" if light.defects is not None else ""
    debayered = "_d" if light.cfa is not None else ""
    registered = "_r" if stage == "registered" else ""
    return f"_c{corrected}{debayered}{registered}"


def _header(
    light: MeasuredLight, stage: str, registration: Sequence[str], context: Context
) -> Header:
    header = as_colour(light.info.header).without(*_SCALING)
    header = with_saturation(header, light.saturation_dn)
    if stage == "calibrated":
        header = header.adding(*cfa_cards(light.info))
    if stage == "registered":
        header = without_astrometry(header)
    applied = Card("CALSTAT", _calstat(light.treatment.assignment), "calibration applied")
    return (
        header.adding(*noise_cards(light.noise_dn, context.settings.units))
        .replacing(applied)
        .adding(*history(*_lines(light, stage, registration, context)))
    )


def _calstat(assignment: Assignment) -> str:
    """Return the letters of what is gone from the pixels: a dark takes the bias with it."""
    bias = "B" if assignment.bias or assignment.dark else ""
    dark = "D" if assignment.dark else ""
    flat = "F" if assignment.flat else ""
    return f"{bias}{dark}{flat}"


def _lines(
    light: MeasuredLight, stage: str, registration: Sequence[str], context: Context
) -> list[str]:
    """Return the HISTORY: what was done, in that order."""
    assignment = light.treatment.assignment
    lines = [
        f"ImageCalibration.{role}: {name}"
        for role in ("bias", "dark", "flat")
        if (name := getattr(assignment, role)) is not None
    ]
    if stage != "calibrated" and light.cfa is not None:
        lines.append(f"Debayer.method: {context.settings.debayer}")
        lines.append(f"Debayer.cfaPattern: {light.cfa.name}")
    return [*lines, *registration]
