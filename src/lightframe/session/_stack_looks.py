"""One look at each file of a stack: levels, noise, stars, and what follows from all of them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lightframe.buffers import Buffers
from lightframe.errors import InputError, UnreadableFileError
from lightframe.figures import percent
from lightframe.frames import ArraySource, FrameInfo, FrameKind, Window, every_row
from lightframe.processes import (
    FrameStatistics,
    IntegrationSettings,
    Measurement,
    NoiseModel,
    PhotometricScale,
    by_brightness,
    coincidence,
    frame_statistics,
    measure,
    photometric_scale,
    psf_signal_weights,
    saturation,
)
from lightframe.session._batch import Failure
from lightframe.session._noise import frame_gains
from lightframe.session._stack_files import Stack
from lightframe.session._stack_noise import PixelNoise, pixel_noise, stack_noise
from lightframe.session._steps import Bench

__all__ = ["Looks", "look_at"]

_buffers = Buffers()

_SAMPLED_PIXELS = 1 << 18
"""Of each channel: the median is good to sigma / 400, as in `sample_statistics`."""
_BYTES_PER_PIXEL = 24
"""Of a frame whose stars are looked at; they are found in an image of their own."""
_COINCIDING_SHARE = 0.3
_COINCIDING_PX = 0.5
_NAMED_FILES = 3
_IMPOSSIBLE_NOISE = 1.15
"""Photon noise of the sky over the noise of a file, from which on the gain must be wrong."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What one look at every file has shown.

    Attributes
    ----------
    stack : Stack
        The files that could be measured.
    failures : tuple of Failure
        The others.
    statistics : tuple of FrameStatistics
        For normalization and weights.
    measured_noise_dn : tuple of float
        Noise of each file as its pixels show it, mean of its channels or colours.
    weights : tuple of float or None
        One number a file, for weights that are not made of statistics.
    noise_model : NoiseModel
        What the variance is made of beside the noise.
    remarks : tuple of str
        What the user should know.
    """

    stack: Stack
    failures: tuple[Failure, ...]
    statistics: tuple[FrameStatistics, ...]
    measured_noise_dn: tuple[float, ...]
    weights: tuple[float, ...] | None
    noise_model: NoiseModel
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """What one file has shown: its stars and areas only where they are needed."""

    statistics: FrameStatistics
    noise: PixelNoise
    measurement: Measurement | None


def look_at(opened: Stack, bench: Bench) -> Looks:
    """Measure each file, and what follows: scales and weights by stars, and the noise of areas.

    Raises
    ------
    InputError
        If the reference or all files have no pixel, or the stars of one are too few for the weight
        ``psf-signal``.
    """
    settings, several = bench.settings.lights, len(opened.infos) > 1
    lights = all(info.kind in {FrameKind.LIGHT, None} for info in opened.infos)
    scaled = bench.settings.photometric_scale and lights and several and _scales(settings)
    weighted = settings.weight == "psf-signal" and several
    looks, failures = _each(opened, bench, stars=scaled or weighted, areas=lights and several)
    opened = opened.without([failure.path for failure in failures])
    infos = opened.infos
    statistics = [look.statistics for look in looks]
    remarks: list[str] = []
    stars = [look.measurement for look in looks if look.measurement is not None]
    ratios = _ratios(stars, opened)
    if stars:
        remarks += _misplaced(stars, opened)
    if scaled:
        known = [ratio for ratio in ratios if ratio is not None]
        if len(known) == len(infos):
            statistics = [by_brightness(s, r) for s, r in zip(statistics, known, strict=True)]
        else:
            remarks.append(
                "too few stars in common: scales are taken from the spread of the backgrounds"
            )
    noise = stack_noise(infos, statistics, [look.noise for look in looks], opened.reference)
    final = tuple(replace(s, noise=n) for s, n in zip(statistics, noise.noise_dn, strict=True))
    gain = frame_gains(infos, settings)
    if settings.variance:
        remarks += _gain_remarks(infos, final, gain)
    weights = opened.weights
    if weighted:
        weights = _signal_weights(infos, stars, ratios, final)
    return Looks(
        stack=opened,
        failures=tuple(failures),
        statistics=final,
        measured_noise_dn=tuple(float(np.mean(look.noise.by_colour)) for look in looks),
        weights=None if weights is None else tuple(weights),
        noise_model=NoiseModel(gain, noise.area_variance),
        remarks=(*noise.remarks, *remarks),
    )


def _scales(settings: IntegrationSettings) -> bool:
    """Tell whether frames are multiplied by a scale that stars can give."""
    return "local" in {settings.normalization, settings.rejection_normalization} or (
        "scaling" in settings.normalization
    )


def _each(
    opened: Stack, bench: Bench, *, stars: bool, areas: bool
) -> tuple[list[_Look], list[Failure]]:
    """Look at all files; some may have no pixels.

    Where stars are wanted they are read as a whole, no more at a time than fit into memory.
    """

    def look(index: int) -> _Look | Failure:
        info, source = opened.infos[index], opened.sources[index]
        cfa = info.cfa if source.channels == 1 else None
        planes = None
        if stars:
            planes = _buffers.floats("look", (source.channels, source.height, source.width))
            source.read(Window(0, source.height, 0, source.width), planes)
            source = ArraySource(planes)
        rows = every_row(source, max(1, source.height * source.width // _SAMPLED_PIXELS))
        try:
            statistics = frame_statistics(rows, estimators=estimators)
            noise = pixel_noise(source, cfa, areas=areas)
        except UnreadableFileError:
            raise
        except (ValueError, InputError):
            what = "has no pixel with a value: it was registered to a frame it does not overlap"
            return Failure(info.path, InputError(what, where=info.path, remedy="leave it out"))
        measured = None
        if planes is not None:
            full = saturation(planes, info.white_dn)
            level = None if full is None else full.level_dn
            measured = measure(planes, cfa, bench.settings.detection, saturation_dn=level)
        return _Look(statistics, noise, measured)

    estimators = bench.settings.lights.estimators
    first, count = opened.infos[0], len(opened.infos)
    threads = bench.threads
    if stars:
        size = first.channels * first.height * first.width * _BYTES_PER_PIXEL
        threads = max(1, min(threads, bench.memory_bytes // size))
    looks: list[_Look] = []
    failures: list[Failure] = []
    with bench.progress.step("Measuring", count) as advance, ThreadPoolExecutor(threads) as pool:
        for found in pool.map(look, range(count)):
            if isinstance(found, Failure):
                failures.append(found)
            else:
                looks.append(found)
            advance(1)
    return looks, failures


def _ratios(measured: Sequence[Measurement], opened: Stack) -> list[PhotometricScale | None]:
    """Return each file's brightness relative to the reference; None where it is unknown."""
    shape = opened.sources[0].height, opened.sources[0].width
    ratios: list[PhotometricScale | None] = []
    for index, one in enumerate(measured):
        if index == opened.reference:
            ratios.append(PhotometricScale(1.0, 0.0, 0))
            continue
        reference = measured[opened.reference].stars
        ratios.append(photometric_scale(one.stars, np.eye(3), reference, shape=shape))
    return ratios


def _misplaced(measured: Sequence[Measurement], opened: Stack) -> list[str]:
    """Return a remark where stars do not lie where those of the reference do."""
    away = []
    for info, one in zip(opened.infos, measured, strict=True):
        found = coincidence(one.stars, measured[opened.reference].stars)
        if found is None:
            continue
        if found.share < _COINCIDING_SHARE:
            away.append(f"{info.path.name} ({percent(found.share, 0)} of its stars coincide)")
        elif found.offset_px > _COINCIDING_PX:
            away.append(f"{info.path.name} ({found.offset_px:.1f} px away)")
    if not away:
        return []
    named = ", ".join(away[:_NAMED_FILES]) + (", ..." if len(away) > _NAMED_FILES else "")
    reference = opened.infos[opened.reference].path.name
    remark = (
        f"the stars of {len(away)} files do not lie on those of {reference}: {named}; register the"
        " files first (lightframe register), or stars are smeared and rejected"
    )
    return [remark]


def _gain_remarks(
    infos: Sequence[FrameInfo],
    statistics: Sequence[FrameStatistics],
    gain: npt.NDArray[np.float64] | None,
) -> list[str]:
    """Return a remark where the gain is not known, or asks for more noise than there is."""
    if gain is None:
        remark = (
            "the gain of the files is not known (EGAIN in their headers, or --photon-gain): the"
            " variance map lacks the photon noise of stars"
        )
        return [remark]
    if not all(info.calibration for info in infos):
        return []  # the level of the sky is not known
    least = np.array(
        [np.sqrt(max(0.0, s.location.mean()) / g) for s, g in zip(statistics, gain, strict=True)]
    )
    seen = np.array([s.noise.mean() for s in statistics])
    if np.median(least / seen) < _IMPOSSIBLE_NOISE:
        return []
    remark = (
        f"with {np.median(gain):.3g} e-/DN the photons of the sky alone make {np.median(least):.3g}"
        f" DN of noise, but the files have {np.median(seen):.3g}: the gain is not that of these"
        " files, and the variance of stars is too large (give --photon-gain)"
    )
    return [remark]


def _signal_weights(
    infos: Sequence[FrameInfo],
    measured: Sequence[Measurement],
    ratios: Sequence[PhotometricScale | None],
    statistics: Sequence[FrameStatistics],
) -> list[float]:
    """Return the PSF signal weight of each file.

    Raises
    ------
    InputError
        If a file has too few stars.
    """
    brightness, width = [], []
    for info, one, ratio in zip(infos, measured, ratios, strict=True):
        if one.fwhm_px is None or ratio is None:
            raise InputError(
                "has too few stars in common with the reference to measure the weight psf-signal",
                where=info.path,
                cause="it is clouded, out of focus, not registered, or no light",
                remedy="leave it out, or choose the weight noise",
            )
        brightness.append(ratio.ratio)
        width.append(one.fwhm_px)
    noise = [float(s.noise.mean()) for s in statistics]
    return [float(weight) for weight in psf_signal_weights(brightness, width, noise)]
