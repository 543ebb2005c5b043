"""Files that are to become one image: opened, weighted, measured."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lightframe.errors import InputError, SettingsError
from lightframe.frames import FrameInfo, FrameKind, PixelSource, Window
from lightframe.processes import (
    FrameStatistics,
    IntegrationSettings,
    PhotometricScale,
    StarTable,
    frame_pedestal,
    frame_statistics,
    measure,
    photometric_scale,
)
from lightframe.session._alignment import by_brightness
from lightframe.session._context import Context
from lightframe.session._noise import colour_noise
from lightframe.session._sources import Derived
from lightframe.session._steps import Bench

__all__ = ["Looks", "Stack", "StackOptions", "look_at", "open_stack"]

_F64 = npt.NDArray[np.float64]

_SAMPLED_PIXELS = 1 << 18
"""Of each channel: the median is good to sigma / 400, as in `sample_statistics`."""
_NEEDS_NUMBERS = {"keyword", "given", "psf-signal"}
_FULL_SCALE_DN = 65535.0
_MOST_PLANES = 4
_PLAUSIBLE_NOISE = (0.7, 4.0)
"""Noise that a header states, over what is measured: interpolation hides up to two thirds of it."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What an integration needs to know of its files beside its settings.

    Attributes
    ----------
    reference : Path or None
        The file to whose level and scale the others are brought; the first by default.
    weights : tuple of float
        One a file, for the weight ``given``.
    keyword : str
        Keyword that holds the weight, for the weight ``keyword``.
    subtract_pedestals : bool
        Take off the PEDESTAL that the headers state.
    """

    reference: Path | None = None
    weights: tuple[float, ...] = ()
    keyword: str = ""
    subtract_pedestals: bool = True


@dataclass(frozen=True, slots=True)
class _WithoutPedestal(Derived):
    """A frame whose pedestal is taken off as it is read."""

    pedestal_dn: float

    def read(self, window: Window, out: npt.NDArray[np.generic]) -> None:
        self.source.read(window, out)
        np.subtract(out, np.float32(self.pedestal_dn), out=out)


@dataclass(frozen=True, slots=True)
class Stack:
    """Open files, ready to be integrated."""

    infos: tuple[FrameInfo, ...]
    sources: tuple[PixelSource, ...]
    reference: int
    weights: list[float] | None


def open_stack(
    infos: Sequence[FrameInfo],
    paths: Sequence[Path],
    context: Context,
    stack: ExitStack,
    options: StackOptions,
) -> Stack:
    """Open the files that can be read, and find reference and weights."""
    sources: list[PixelSource] = []
    members: list[FrameInfo] = []
    for info in infos:
        source = context.open(info.path)
        if source is None:
            continue
        stack.callback(source.close)
        pedestal = 0.0
        if options.subtract_pedestals:
            pedestal = frame_pedestal(info, context.settings.calibration).dn
        sources.append(_WithoutPedestal(source, pedestal) if pedestal else source)
        members.append(info)
    if not sources:
        raise InputError("none of the files can be read")
    return Stack(
        tuple(members),
        tuple(sources),
        _reference(members, options),
        _weights(members, paths, context.settings.lights, options),
    )


def _reference(members: Sequence[FrameInfo], options: StackOptions) -> int:
    if options.reference is None:
        return 0
    wanted = options.reference.resolve()
    for index, info in enumerate(members):
        if info.path.resolve() == wanted:
            return index
    raise InputError(
        "the reference is not among the files that can be integrated",
        where=options.reference,
        remedy="name one of the files",
    )


def _weights(
    members: Sequence[FrameInfo],
    paths: Sequence[Path],
    settings: IntegrationSettings,
    options: StackOptions,
) -> list[float] | None:
    """Return one number a file where the weight asks for it."""
    if settings.weight == "exposure":
        return [_known(info, info.exposure_s, "its exposure") for info in members]
    if settings.weight == "keyword" and options.keyword:
        return [_known(info, info.header.get(options.keyword), options.keyword) for info in members]
    if settings.weight not in _NEEDS_NUMBERS:
        return None
    if len(options.weights) != len(paths):
        raise SettingsError(
            f"{len(options.weights)} weights for {len(paths)} files",
            remedy="give one number a file with --weights, or --weight-keyword NAME",
        )
    of = dict(zip(paths, options.weights, strict=True))
    return [of[info.path] for info in members]


def _known(info: FrameInfo, value: object, name: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise InputError(
        f"{name} is no number: {value!r}" if value is not None else f"{name} is not known",
        where=info.path,
        remedy="leave the file out, or choose another weight",
    )


@dataclass(frozen=True, slots=True)
class Looks:
    """What one look at every file has shown.

    Attributes
    ----------
    statistics : tuple of FrameStatistics
        For normalization and weights.
    measured_noise_dn : tuple of float
        Noise of each file as its pixels show it, mean of its channels or colours.
    remarks : tuple of str
        What the user should know.
    """

    statistics: tuple[FrameStatistics, ...]
    measured_noise_dn: tuple[float, ...]
    remarks: tuple[str, ...]


def look_at(opened: Stack, bench: Bench) -> Looks:
    """Measure each file, and the scales between lights by their stars where that is possible."""

    def look(index: int) -> tuple[FrameStatistics, float, StarTable | None]:
        info, source = opened.infos[index], opened.sources[index]
        planes = np.empty((source.channels, source.height, source.width), np.float32)
        source.read(Window(0, source.height, 0, source.width), planes)
        cfa = info.cfa if source.channels == 1 else None
        noise = float(np.mean(colour_noise(planes, cfa)))
        stars = measure(planes, cfa, bench.settings.detection).stars if by_stars else None
        step = max(1, planes[0].size // _SAMPLED_PIXELS)
        return frame_statistics(planes[:, ::step]), noise, stars

    lights = all(info.kind in {FrameKind.LIGHT, None} for info in opened.infos)
    by_stars = (
        bench.settings.photometric_scale
        and lights
        and len(opened.infos) > 1
        and _scales(bench.settings.lights)
    )
    count = len(opened.infos)
    with (
        bench.progress.step("Measuring", count) as advance,
        ThreadPoolExecutor(bench.threads) as pool,
    ):
        looks = []
        for found in pool.map(look, range(count)):
            looks.append(found)
            advance(1)
    statistics, stated = _with_stated_noise([found for found, _, _ in looks], opened.infos)
    noise = tuple(sigma for _, sigma, _ in looks)
    remarks: tuple[str, ...] = ()
    if stated:
        remarks = ("the noise of the files is that of their headers, from before interpolation",)
    if not by_stars:
        return Looks(statistics, noise, remarks)
    first = opened.sources[opened.reference]
    tables = [stars for _, _, stars in looks if stars is not None]
    ratios = _ratios(tables, opened.reference, (first.height, first.width))
    if ratios is None:
        remark = "too few stars in common: scales are taken from the spread of the backgrounds"
        return Looks(statistics, noise, (*remarks, remark))
    by_stars_alone = tuple(by_brightness(s, r) for s, r in zip(statistics, ratios, strict=True))
    return Looks(by_stars_alone, noise, remarks)


def _scales(settings: IntegrationSettings) -> bool:
    """Tell whether frames are multiplied by a scale that stars can give."""
    return "local" in {settings.normalization, settings.rejection_normalization} or (
        "scaling" in settings.normalization
    )


def _ratios(
    stars: Sequence[StarTable], reference: int, shape: tuple[int, int]
) -> list[PhotometricScale] | None:
    """Return each file's brightness relative to the reference; None if one is unknown."""
    ratios = []
    for index, table in enumerate(stars):
        if index == reference:
            ratios.append(PhotometricScale(1.0, 0.0, 0))
            continue
        found = photometric_scale(table, np.eye(3), stars[reference], shape=shape)
        if found is None:
            return None
        ratios.append(found)
    return ratios


def _stated_noise(
    info: FrameInfo, measured: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64] | None:
    """Return the noise in DN that the header states for each channel.

    It was measured before interpolation, which hides noise from any later measurement. None where
    it is missing, or cannot be that of these pixels.
    """
    stated = [
        float(value)
        for place in range(_MOST_PLANES)
        if isinstance(value := info.header.get(f"NOISE{place:02d}"), int | float)
    ]
    if info.channels == 1 and stated:
        stated = [float(np.sqrt(np.mean(np.square(stated))))]
    if len(stated) != info.channels:
        return None
    scale = 1.0
    if info.sample_format.startswith("float"):
        given = info.header.get("DNSCALE")
        scale = float(given) if isinstance(given, int | float) else _FULL_SCALE_DN
    noise = scale * np.array(stated)
    low, high = _PLAUSIBLE_NOISE
    return noise if bool(((noise > low * measured) & (noise < high * measured)).all()) else None


def _with_stated_noise(
    statistics: Sequence[FrameStatistics], infos: Sequence[FrameInfo]
) -> tuple[tuple[FrameStatistics, ...], bool]:
    """Put the stated noise in place of the measured one, if all files state it."""
    stated = [_stated_noise(i, s.noise) for i, s in zip(infos, statistics, strict=True)]
    known = [noise for noise in stated if noise is not None]
    if len(known) < len(stated):
        return tuple(statistics), False
    return tuple(replace(s, noise=noise) for s, noise in zip(statistics, known, strict=True)), True
