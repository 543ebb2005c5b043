"""Pass 2: the result of a group, tile by tile, straight from the raw frames."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.frames import Card, FrameKind, write_fits
from lightframe.processes import (
    FrameStatistics,
    Integration,
    NoiseModel,
    debayer_area_variance,
    integrate,
)
from lightframe.session._alignment import AlignedLight, comparable_statistics
from lightframe.session._context import Context
from lightframe.session._integration_maps import IntegrationMap, integration_maps
from lightframe.session._keep import keep
from lightframe.session._light_weights import light_weights
from lightframe.session._noise import colour_noise, frame_gains
from lightframe.session._plan_types import Assignment, LightGroup
from lightframe.session._previews import write_map_preview, write_preview_of
from lightframe.session._provenance import (
    combined_header,
    history,
    integration_lines,
    noise_cards,
    transform_text,
)
from lightframe.session._sources import RegisteredSource

__all__ = ["integrate_group", "result_path"]


def result_path(group: LightGroup, context: Context) -> Path:
    """Return the file of a group's result."""
    return context.out / "results" / f"{group.name}.fits"


def integrate_group(
    group: LightGroup,
    lights: Sequence[AlignedLight],
    grid: tuple[int, int],
    context: Context,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Integrate the registered lights of a group and write the result.

    Parameters
    ----------
    group : LightGroup
        The group.
    lights : sequence of AlignedLight
        Its lights, in the order of their paths.
    grid : tuple of int
        Rows and columns of the reference frame.
    context : Context
        Where to write, how much memory and how many threads to use.

    Returns
    -------
    dict, list of dict
        The result's entry in run.json, and for each light what pass 2 found of it.
    """
    reference, statistics = comparable_statistics(lights, context)
    sources = [
        RegisteredSource(
            aligned.light.source(context), aligned.inverse, grid, context.settings.resampling
        )
        for aligned in lights
    ]
    if "registered" in context.settings.keep:
        for aligned, source in zip(lights, sources, strict=True):
            keep(aligned.light, source, "registered", context, _registration(aligned, context))
    total = sources[0].channels * grid[0] * grid[1]
    with context.progress.step(f"Integrating {group.name}", total) as advance:
        result = integrate(
            sources,
            context.settings.lights,
            statistics=statistics,
            weights=light_weights(lights, context),
            reference=reference,
            noise_model=_noise_model(lights, context),
            memory_bytes=context.memory_bytes,
            threads=context.threads,
            advance=advance,
        )
    parts = _light_parts(lights, statistics, result, reference)
    return _written(group, lights, result, parts, reference, context), parts


def _noise_model(lights: Sequence[AlignedLight], context: Context) -> NoiseModel:
    """Return what the variance of the result is made of beside the noise of the lights."""
    settings, cfa = context.settings, lights[0].light.cfa
    gains = frame_gains([aligned.light.info for aligned in lights], settings.lights)
    if gains is None and settings.lights.variance:
        context.progress.message(
            "the gain of the lights is not known (EGAIN, lights.photon_gain): the variance lacks"
            " the photon noise of stars"
        )
    area = () if cfa is None else debayer_area_variance(cfa, settings.debayer)
    return NoiseModel(gains, area)


def _registration(aligned: AlignedLight, context: Context) -> list[str]:
    """Return the HISTORY of a light's registration; the reference has no transform."""
    lines = [f"StarAlignment.interpolation: {context.settings.resampling.interpolation}"]
    if aligned.registration is not None:
        lines.append(f"StarAlignment.model: {aligned.registration.model}")
        lines.append(f"StarAlignment.transform: {transform_text(aligned.transform)}")
    return lines


def _light_parts(
    lights: Sequence[AlignedLight],
    statistics: Sequence[FrameStatistics],
    result: Integration,
    reference: int,
) -> list[dict[str, Any]]:
    """Return what run.json says of each light after pass 2."""
    rejected = (result.frames_low + result.frames_high).mean(axis=1)
    scales = [float(np.mean(s.scale_low + s.scale_high)) for s in statistics]
    return [
        {
            "reference": aligned.is_reference,
            "weight": float(result.weights[index].mean()),
            "scale": scales[reference] / scales[index] if scales[index] else None,
            "rejected_fraction": float(rejected[index]),
            "transform": aligned.transform.tolist(),
            "registration": None
            if aligned.registration is None
            else {
                "model": aligned.registration.model,
                "inliers": aligned.registration.inliers,
                "rms_px": aligned.registration.rms_px,
                "rotation_deg": aligned.registration.rotation_deg,
                "scale": aligned.registration.scale,
            },
        }
        for index, aligned in enumerate(lights)
    ]


def _written(
    group: LightGroup,
    lights: Sequence[AlignedLight],
    result: Integration,
    parts: Sequence[dict[str, Any]],
    reference: int,
    context: Context,
) -> dict[str, Any]:
    """Write image, maps and previews of a result, and return its entry in run.json."""
    path = result_path(group, context)
    units = context.settings.units
    noise = list(colour_noise(result.image, None))
    header = combined_header([aligned.light.info for aligned in lights], FrameKind.LIGHT).adding(
        *noise_cards(noise, units),
        *_history(lights, result, parts, reference, context),
    )
    maps = integration_maps(result)
    # The pictures are drawn by other threads while this one writes the file.
    pictures = _pictures(group, result.image, maps, context)
    extensions = [(name, pixels) for name, pixels, _ in maps]
    report = write_fits(path, result.image, header, extensions=extensions, units=units)
    context.meter.wrote(report.bytes)
    entry = _entry(group, lights, result, noise, reference)
    return {"path": context.relative(path), **entry, **pictures}


def _pictures(
    group: LightGroup,
    image: npt.NDArray[np.float32],
    maps: Sequence[IntegrationMap],
    context: Context,
) -> dict[str, Any]:
    """Have previews of image and maps drawn, and return what run.json says of them."""
    return {
        "preview": write_preview_of(image, None, f"{group.name}.png", context),
        "maps": [
            {
                "name": name,
                "title": meaning,
                "preview": write_map_preview(pixels, f"{group.name}_{name}.png", context),
            }
            for name, pixels, meaning in maps
        ],
    }


def _entry(
    group: LightGroup,
    lights: Sequence[AlignedLight],
    result: Integration,
    noise_dn: list[float],
    reference: int,
) -> dict[str, Any]:
    """Return what run.json says of a result, apart from its files."""
    channels, height, width = result.image.shape
    exposures = [aligned.light.info.exposure_s for aligned in lights]
    return {
        "kind": "light",
        "group": group.name,
        "object": group.object,
        "filter": group.filter,
        "frames": len(lights),
        "normalized_to": str(lights[reference].light.info.path),
        "exposure_s": None if None in exposures else float(sum(e or 0.0 for e in exposures)),
        "noise_dn": noise_dn,
        "background_dn": [float(np.nanmedian(plane[::8, ::8])) for plane in result.image],
        "channels": channels,
        "height": height,
        "width": width,
        "rejected_low": result.rejected[0],
        "rejected_high": result.rejected[1],
    }


def _history(
    lights: Sequence[AlignedLight],
    result: Integration,
    parts: Sequence[dict[str, Any]],
    reference: int,
    context: Context,
) -> list[Card]:
    lines = integration_lines(
        context.settings.lights, result, lights[reference].light.info.path.name
    )
    for assignment in dict.fromkeys(aligned.light.treatment.assignment for aligned in lights):
        lines += [f"ImageCalibration.{role}: {name}" for role, name in _masters(assignment)]
        lines += [f"ImageCalibration: {reason}" for reason in assignment.reasons]
    for aligned, part in zip(lights, parts, strict=True):
        light = aligned.light
        k = "" if light.dark_scale is None else f" k {light.dark_scale.k:.4f}"
        lines.append(
            f"Input {light.info.path.name} weight {part['weight']:.4f}{k}"
            f" SHA-256 {context.hashes[light.info.path]}"
        )
    return history(*lines)


def _masters(assignment: Assignment) -> list[tuple[str, str]]:
    return [
        (f"master{role.capitalize()}.fileName", f"{name}")
        for role in ("bias", "dark", "flat")
        if (name := getattr(assignment, role)) is not None
    ]
