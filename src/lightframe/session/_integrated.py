"""A master as it comes from its integration: its pixels, and the noise in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any

from lightframe.frames import CfaPattern, FrameInfo, FrameKind, PixelSource
from lightframe.processes import (
    COMBINATIONS,
    Integration,
    IntegrationSettings,
    Superbias,
    TemporalNoise,
    combined_noise,
    superbias,
    temporal_noise,
)
from lightframe.session._context import Context
from lightframe.session._plan_types import MasterJob
from lightframe.session._settings import RunSettings

__all__ = ["IntegratedMaster", "completed", "noise_record", "superbias_lines"]


@dataclass(frozen=True, slots=True)
class IntegratedMaster:
    """An integrated master.

    Attributes
    ----------
    members : list of FrameInfo
        The frames that could be read.
    result : Integration
        Pixels and maps; of a superbias the model is the image.
    noise : TemporalNoise or None
        Noise of one of its frames; None for a single frame.
    model : Superbias or None
        What a superbias is made of.
    """

    members: list[FrameInfo]
    result: Integration = field(repr=False)
    noise: TemporalNoise | None
    model: Superbias | None = field(default=None, repr=False)


def completed(
    job: MasterJob,
    members: list[FrameInfo],
    sources: Sequence[PixelSource],
    result: Integration,
    context: Context,
) -> IntegratedMaster:
    """Measure the noise of the frames of a master; turn a bias into a superbias if that is wanted.

    Parameters
    ----------
    job : MasterJob
        What was integrated.
    members : list of FrameInfo
        Its frames.
    sources : sequence of PixelSource
        Their pixels, as they were integrated.
    result : Integration
        The result.
    context : Context
        Settings and threads.
    """
    noise = temporal_noise(sources, _cfa(members[0]), scaled=job.kind is FrameKind.FLAT)
    if job.kind is not FrameKind.BIAS or not context.settings.superbias:
        return IntegratedMaster(members, result, noise)
    model = superbias(
        result.image, context.settings.superbias_model, threads=context.threads, name=job.label
    )
    return IntegratedMaster(members, replace(result, image=model.image), noise, model)


def _cfa(info: FrameInfo) -> CfaPattern | None:
    return info.cfa if info.channels == 1 else None


def noise_record(job: MasterJob, made: IntegratedMaster, settings: RunSettings) -> dict[str, Any]:
    """Return what run.json says of the noise of a master, apart from its pattern.

    ``frame_noise_dn`` is that of a pixel of one frame, ``random_noise_dn`` that of the master, each
    channel by channel or colour by colour; of a flat also ``relative_noise``, as a part of its
    level. Of a superbias it is what it leaves out of the pattern, for it has no other.
    """
    integration = settings.flats if job.kind is FrameKind.FLAT else settings.darks
    noise = made.noise
    record: dict[str, Any] = dict.fromkeys(
        ("frame_noise_dn", "random_noise_dn", "relative_noise", "superbias")
    )
    if noise is None:
        return record
    share = _share(made, integration)
    record["frame_noise_dn"] = list(noise.sigma_dn)
    if share is not None:
        record["random_noise_dn"] = [sigma * share for sigma in noise.sigma_dn]
        if job.kind is FrameKind.FLAT and min(noise.level_dn) > 0:
            record["relative_noise"] = [sigma * share for sigma in noise.relative]
    model = made.model
    if model is not None and share is not None:
        mean = sqrt(sum(sigma**2 for sigma in noise.sigma_dn) / len(noise.sigma_dn))
        lost = model.pattern_lost_dn(mean * share)
        record["superbias"] = {
            "columns_dn": list(model.columns_dn),
            "rows_dn": list(model.rows_dn),
            "large_scale_dn": list(model.large_scale_dn),
            "pattern_lost_dn": lost,
            "noise_avoided_dn": mean * share,
        }
        record["random_noise_dn"] = [lost] * len(noise.sigma_dn)
    return record


def _share(made: IntegratedMaster, settings: IntegrationSettings) -> float | None:
    """Return the noise of the combined frames over that of one; None for a sum."""
    if COMBINATIONS[settings.combination].total:
        return None
    return combined_noise(settings, len(made.members))


def superbias_lines(made: IntegratedMaster, settings: RunSettings) -> list[str]:
    """Return the HISTORY of a superbias; nothing for other masters."""
    if made.model is None:
        return []
    chosen = settings.superbias_model
    return [
        f"Superbias.columns: {str(chosen.columns).lower()}",
        f"Superbias.rows: {str(chosen.rows).lower()}",
        f"Superbias.layers: {chosen.layers}",
        f"Superbias.trim: {chosen.trim:g}",
    ]
