"""Masters: calibration frames integrated as the guide's section 6 says, in the plan's order."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.errors import InputError
from lightframe.frames import (
    Card,
    FrameInfo,
    FrameKind,
    Header,
    PixelSource,
    read_image,
    write_fits,
)
from lightframe.processes import (
    CalibrationSettings,
    Integration,
    Masters,
    PreparedCalibration,
    frame_pedestal,
    integrate,
    prepare_calibration,
)
from lightframe.session._calibrating import Master, prepare
from lightframe.session._context import Context
from lightframe.session._integrated import (
    IntegratedMaster,
    completed,
    noise_record,
    superbias_lines,
)
from lightframe.session._journal import Journal, fingerprint
from lightframe.session._master_levels import divides, measured
from lightframe.session._noise import colour_noise
from lightframe.session._plan_types import MasterJob
from lightframe.session._previews import write_preview_of
from lightframe.session._provenance import cfa_cards, combined_header, history, noise_cards
from lightframe.session._sources import CalibratedSource, CountedSource

__all__ = ["build_masters", "integrate_master", "master_header", "master_record"]

_SAMPLED_PIXELS = 1 << 20


def build_masters(
    jobs: Iterable[MasterJob], infos: Mapping[Path, FrameInfo], context: Context
) -> dict[str, Master]:
    """Integrate or read all masters of a plan.

    They are written beside the main job; `Context.beside` knows when they are.

    Parameters
    ----------
    jobs : iterable of MasterJob
        In an order in which each needs only those before it.
    infos : mapping of Path to FrameInfo
        All frames.
    context : Context
        Where to write, how much memory and how many threads to use.

    Returns
    -------
    dict of str to Master
        By the plan's names.

    Raises
    ------
    InputError
        If no frame of a master can be read, or it has no pixel with a value.
    """
    masters: dict[str, Master] = {}
    journal = Journal(context.own)
    keys: dict[str, str] = {}
    for job in jobs:
        keys[job.name] = key = fingerprint(job, context.hashes, context.settings, keys)
        if job.given:
            masters[job.name] = _read(job, infos, context)
            continue
        record = journal.recall(job.name, key, context.out)
        if record is not None:
            masters[job.name] = _taken_up(job, infos, record, context)
            continue
        masters[job.name], header = _build(job, infos, masters, context)
        inputs = masters[job.name].record["inputs"]
        whole = len(inputs) == len(job.frames)
        if not whole:  # what it calibrates depends on the frames that could be read
            keys[job.name] = " ".join((key, *(entry["sha256"] for entry in inputs)))
        remember = partial(journal.remember, job.name, key) if whole else None
        write = partial(_write, masters[job.name], header, context, remember)
        context.do_beside("writing masters", write)
    return masters


def _taken_up(
    job: MasterJob, infos: Mapping[Path, FrameInfo], record: dict[str, Any], context: Context
) -> Master:
    """Read a master that an earlier run into the same folder has finished.

    What the journal cannot vouch for is told anew: where its frames lie, whom it serves, and how
    its picture is stretched.
    """
    path = context.out / record["path"]
    with context.meter.step("masters"):
        _, pixels = read_image(path)
        preview = write_preview_of(pixels, infos[job.frames[0]].cfa, f"{job.name}.png", context)
    context.meter.read(path.stat().st_size)
    context.progress.message(f"Master {job.label}: taken up from the earlier run")
    record = record | {
        "serves": list(job.serves),
        "inputs": [{"path": str(i), "sha256": context.hashes[i]} for i in job.frames],
        "preview": preview,
    }
    return Master(job, infos[job.frames[0]], path.name, pixels, record)


def _read(job: MasterJob, infos: Mapping[Path, FrameInfo], context: Context) -> Master:
    """Read a master that was given."""
    path = job.frames[0]
    with context.meter.step("masters"):
        _, pixels = read_image(path)
    context.meter.read(path.stat().st_size)
    record = _record(job, infos[path], pixels) | {
        "path": str(path),
        "frames": infos[path].frames_combined,
        "rejected_fraction": None,
        "inputs": [],
        "preview": None,
    }
    return Master(job, infos[path], path.name, pixels, record)


def _build(
    job: MasterJob,
    infos: Mapping[Path, FrameInfo],
    masters: Mapping[str, Master],
    context: Context,
) -> tuple[Master, Header]:
    """Integrate a master; return it with the header of its file, which is still to be written."""
    with context.meter.step("masters"):
        made = integrate_master(job, infos, masters, context)
        first, pixels = made.members[0], made.result.image
        record = master_record(job, made, context)
        header = master_header(job, made, record, context)
        file = f"{job.name}.fits"
        record |= {
            "path": context.relative(_folder(context) / file),
            "preview": write_preview_of(pixels, first.cfa, f"{job.name}.png", context),
        }
        return Master(job, first, file, pixels, record), header


def _folder(context: Context) -> Path:
    return context.out / "masters"


def _write(
    master: Master,
    header: Header,
    context: Context,
    remember: Callable[[dict[str, Any], Path], None] | None,
) -> None:
    """Write a master, and remember that it is finished."""
    path = _folder(context) / master.file
    report = write_fits(path, master.pixels, header, units=context.settings.units)
    context.meter.wrote(report.bytes)
    if remember is not None:
        remember(master.record, context.out)


def integrate_master(
    job: MasterJob,
    infos: Mapping[Path, FrameInfo],
    masters: Mapping[str, Master],
    context: Context,
    *,
    levels: bool = False,
) -> IntegratedMaster:
    """Integrate the frames of a master; flats are calibrated while they are read.

    Parameters
    ----------
    job : MasterJob
        What to integrate, and how flats are calibrated.
    infos : mapping of Path to FrameInfo
        Its frames.
    masters : mapping of str to Master
        What flats are calibrated with.
    context : Context
        Settings, scratch folder, memory and threads.
    levels : bool
        Measure the level of each frame even where normalization does not ask for it.

    Returns
    -------
    IntegratedMaster
        The frames that could be read, the result, and its noise.

    Raises
    ------
    InputError
        If no frame can be read, or all are empty.
    """
    settings = context.settings
    with ExitStack() as stack:
        sources = _sources(job, infos, masters, context, stack)
        integration = settings.flats if job.kind is FrameKind.FLAT else settings.darks
        statistics = None
        if levels or divides(integration):
            sources, statistics = measured(job, sources, integration, context)
        members = [infos[path] for path in sources]
        first = next(iter(sources.values()))
        total = first.channels * first.height * first.width
        with context.progress.step(f"Master {job.label}", total) as advance:
            result = integrate(
                list(sources.values()),
                integration,
                statistics=statistics,
                memory_bytes=context.memory_bytes,
                threads=context.threads,
                advance=advance,
            )
        return completed(job, members, list(sources.values()), result, context)


def _sources(
    job: MasterJob,
    infos: Mapping[Path, FrameInfo],
    masters: Mapping[str, Master],
    context: Context,
    stack: ExitStack,
) -> dict[Path, PixelSource]:
    """Open the frames that can be read; flats are calibrated while they are read."""
    calibrations = {
        path: prepare(step, infos[step.frames[0]], masters, context.settings.calibration)
        for step in job.steps
        if not step.calibrated_before
        for path in step.frames[:1]
    }
    step_of = {path: step.frames[0] for step in job.steps for path in step.frames}
    sources: dict[Path, PixelSource] = {}
    for path in job.frames:
        source = context.open(path)
        if source is None:
            continue
        stack.callback(source.close)
        calibration = calibrations.get(step_of.get(path, path))
        try:
            sources[path] = _source(source, infos[path], calibration, context)
        except InputError as error:
            context.exclude(path, error.what)
    if not sources:
        raise InputError(
            f"none of the {len(job.frames)} frames of the master {job.kind} can be read",
            where=job.frames[0].parent,
            remedy="copy the frames again, or leave them out",
        )
    return sources


def _source(
    source: PixelSource,
    info: FrameInfo,
    calibration: PreparedCalibration | None,
    context: Context,
) -> PixelSource:
    """Return a frame as it is integrated: flats calibrated, all others free of their pedestal."""
    pedestal = frame_pedestal(info, context.settings.calibration).dn
    if calibration is None:
        if pedestal == 0:
            return CountedSource(source, context.meter)
        calibration = prepare_calibration(
            Masters(),
            CalibrationSettings(),
            height=source.height,
            width=source.width,
            channels=source.channels,
            allow_nothing=True,
        )
    whole, scale = None, None
    if calibration.scales_dark or calibration.settings.overscan is not None:
        whole = context.read_whole(source)
        scale = calibration.dark_scale(whole, exposure_s=info.exposure_s)
    levels = calibration.levels(whole, pedestal_dn=pedestal)
    return CalibratedSource(source, calibration, scale, levels, context.meter)


def master_record(job: MasterJob, made: IntegratedMaster, context: Context) -> dict[str, Any]:
    """Return the entry of run.json of a master that was integrated; not where it lies."""
    members, result = made.members, made.result
    rejected = sum(result.rejected)
    record = _record(job, members[0], result.image)
    return (
        record
        | noise_record(job, made, context.settings)
        | {
            "frames": len(members),
            "rejected_fraction": rejected,
            "frames_rejected": (result.frames_low + result.frames_high).mean(axis=1).tolist(),
            "inputs": [{"path": str(i.path), "sha256": context.hashes[i.path]} for i in members],
        }
    )


def master_header(
    job: MasterJob,
    made: IntegratedMaster,
    record: Mapping[str, Any],
    context: Context,
) -> Header:
    """Return the header of a master: what its frames share, and where it comes from."""
    members = made.members
    return combined_header(members, job.kind).adding(
        *noise_cards(record["noise_dn"], context.settings.units),
        Card("REJFRAC", round(record["rejected_fraction"], 8), "fraction of the samples rejected"),
        *cfa_cards(members[0]),
        *_calstat(job),
        *_history(job, context, record["inputs"], made.result),
        *history(*superbias_lines(made, context.settings)),
    )


def _calstat(job: MasterJob) -> list[Card]:
    """Return what the flats were freed of before they were integrated."""
    letters = {
        "BD" if step.dark else "B" for step in job.steps if step.bias or step.dark is not None
    }
    if len(letters) != 1 or job.kind is not FrameKind.FLAT:
        return []
    return [Card("CALSTAT", letters.pop(), "calibration applied")]


def _record(job: MasterJob, info: FrameInfo, pixels: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Return what run.json says of any master.

    Raises
    ------
    InputError
        If a channel has no pixel with a value.
    """
    if not all(any(np.isfinite(row).any() for row in plane) for plane in pixels):
        raise InputError(
            f"no pixel of the master {job.kind} holds a number",
            where=job.frames[0] if job.given else job.frames[0].parent,
            cause="the frames were written without their pixels, or a division went wrong",
            remedy="look at the frames; take them again, or leave them out",
        )
    step = max(1, pixels[0].size // _SAMPLED_PIXELS)
    return {
        "name": job.name,
        "kind": job.kind.value,
        "given": job.given,
        "exposure_s": job.exposure_s,
        "gain": job.gain,
        "offset": info.offset,
        "temperature_c": job.temperature_c,
        "filter": job.filter,
        "camera": info.camera,
        "binning": None if info.binning is None else list(info.binning),
        "height": info.height,
        "width": info.width,
        "median_dn": [float(np.nanmedian(plane.reshape(-1)[::step])) for plane in pixels],
        "noise_dn": list(colour_noise(pixels, info.cfa)),
        "frame_noise_dn": None,
        "random_noise_dn": None,
        "relative_noise": None,
        "superbias": None,
        "adds_noise_percent": None,
        "more_frames": None,
        "adds_noise": [],
        "serves": list(job.serves),
    }


def _history(
    job: MasterJob, context: Context, inputs: list[dict[str, str]], result: Integration
) -> list[Card]:
    flat = job.kind is FrameKind.FLAT
    settings = context.settings.flats if flat else context.settings.darks
    lines = [
        f"ImageIntegration.pixelCombination: {settings.combination}",
        f"ImageIntegration.outputNormalization: {settings.normalization}",
        f"ImageIntegration.pixelRejection: {result.rejection}",
        f"ImageIntegration.rejectionNormalization: {settings.rejection_normalization}",
        f"ImageIntegration.numberOfImages: {len(inputs)}",
        f"ImageIntegration.totalRejectedLow: {result.rejected[0]:.6f}",
        f"ImageIntegration.totalRejectedHigh: {result.rejected[1]:.6f}",
    ]
    for step in job.steps:
        lines += [f"Calibration of the flats: {reason}" for reason in step.reasons]
    lines += [f"Input {Path(entry['path']).name} SHA-256 {entry['sha256']}" for entry in inputs]
    return history(*lines)
