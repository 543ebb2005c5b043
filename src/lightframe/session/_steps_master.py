"""One master from its frames (guide, section 6)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.checks._numbers import number
from lightframe.checks._plan_records import Binding, Outcome
from lightframe.errors import InputError, SettingsError
from lightframe.figures import percent
from lightframe.frames import FrameInfo, FrameKind, read_image
from lightframe.processes import Integration
from lightframe.session._batch import Batch, Failure, read_infos
from lightframe.session._calibrating import Master
from lightframe.session._json_values import plain
from lightframe.session._masters import integrate_master, master_header, master_record
from lightframe.session._match import compare
from lightframe.session._plan_types import Assignment, MasterJob
from lightframe.session._provenance import xisf_image_type
from lightframe.session._sets import gather
from lightframe.session._steps import Bench
from lightframe.session._steps_headers import noise_in_pixel_units
from lightframe.session._steps_output import OutputSettings, Written, output_file, write
from lightframe.session._steps_stack import agreeing, workspace

__all__ = ["FlatCalibration", "MasterFile", "make_master"]

_SERVES = {
    FrameKind.BIAS: {FrameKind.BIAS, FrameKind.DARK, FrameKind.FLAT_DARK},
    FrameKind.DARK: {FrameKind.DARK, FrameKind.FLAT_DARK},
    FrameKind.FLAT_DARK: {FrameKind.DARK, FrameKind.FLAT_DARK},
    FrameKind.FLAT: {FrameKind.FLAT},
}
"""Kinds of frames that a master may be made of: short darks serve as bias or flat-darks."""


@dataclass(frozen=True, slots=True)
class FlatCalibration:
    """What flats are calibrated with before they are integrated (guide, 6.2.1).

    Either a bias, or a flat-dark, or a bias with a dark that is optimised for each flat (CCD).

    Attributes
    ----------
    bias, flat_dark, dark : Path or None
        Files of the masters.
    """

    bias: Path | None = None
    flat_dark: Path | None = None
    dark: Path | None = None

    def check(self) -> None:
        """Raise SettingsError where what is given does not go together."""
        if self.bias is not None and self.flat_dark is not None:
            raise SettingsError(
                "flats are calibrated with a bias or with a flat-dark, never with both",
                cause="the flat-dark contains the bias: it would be subtracted twice",
                remedy="leave one of them out; flat-darks are the better choice for CMOS sensors",
            )
        if self.dark is not None and (self.bias is None or self.flat_dark is not None):
            raise SettingsError(
                "a dark is scaled to flats only together with a bias, and without a flat-dark",
                cause="a dark of another exposure has to be optimised for flats, its bias apart",
                remedy="give --dark, --bias and --optimize-dark; or, for a dark of the flats'"
                " exposure, --flat-dark alone",
            )

    def __bool__(self) -> bool:
        return any((self.bias, self.flat_dark, self.dark))


@dataclass(frozen=True, slots=True)
class MasterFile:
    """A master that was made.

    Attributes
    ----------
    written : Written
        The file.
    record : dict
        Its entry in the ``masters`` of run.json.
    levels_dn : tuple of float
        Median of each frame, calibrated if it is a flat.
    remarks : tuple of str
        What does not go together, in the user's words.
    integration : Integration
        All maps.
    """

    written: Written
    record: dict[str, Any]
    levels_dn: tuple[float, ...]
    remarks: tuple[str, ...]
    integration: Integration = field(repr=False)


def make_master(  # noqa: PLR0913 - what goes in, what comes out, and two switches
    kind: FrameKind,
    paths: Sequence[Path],
    out: Path,
    bench: Bench,
    output: OutputSettings = OutputSettings(),
    *,
    calibration: FlatCalibration = FlatCalibration(),
    any_kind: bool = False,
) -> Batch[MasterFile]:
    """Integrate calibration frames into a master.

    Parameters
    ----------
    kind : FrameKind
        Bias, dark, flat-dark or flat.
    paths : sequence of Path
        Its frames.
    out : Path
        The file to write.
    bench : Bench
        Settings: ``darks`` or ``flats``, and ``calibration`` for flats.
    output : OutputSettings
        Format, scale and samples.
    calibration : FlatCalibration
        For flats: what they are calibrated with.
    any_kind : bool
        Take frames whose header says that they are of another kind.

    Returns
    -------
    Batch of MasterFile
        One master; frames that cannot be read, are of another kind or size are set aside.

    Raises
    ------
    SettingsError
        If the flats' calibration contradicts itself, or the file cannot be written.
    InputError
        If no frame is left, or a master for the flats cannot be read or does not fit.
    """
    calibration.check()
    if calibration and kind is not FrameKind.FLAT:
        raise SettingsError(
            f"{kind} frames are integrated as they are, nothing is subtracted",
            cause="a master dark keeps its bias (guide, 7.4)",
            remedy="leave out --bias, --dark and --flat-dark",
        )
    output_file(out, paths, bench.progress.message)
    infos, failures = _usable(paths, None if any_kind else kind)
    if not infos:
        return Batch((), tuple(failures))
    job, masters = _job(kind, infos, calibration)
    with workspace(bench, out) as context:
        by_path = {info.path: info for info in infos}
        with bench.hashing.of(by_path) as digest:
            integrated = integrate_master(job, by_path, masters, context, levels=True)
            members, result = integrated.members, integrated.result
            context.hashes.update((info.path, digest(info.path)) for info in members)
        record = master_record(job, integrated, context)
        header = master_header(job, integrated, record, context)
        header = header.replacing(*noise_in_pixel_units(record["noise_dn"], output))
        failures += [Failure(e.path, InputError(e.reason)) for e in context.exclusions]
    written = write(
        out,
        result.image,
        header,
        output,
        cfa=members[0].cfa,
        image_type=xisf_image_type(kind),
    )
    statistics = result.statistics or ()
    levels = tuple(float(s.location.mean()) for s in statistics)
    record |= {"path": str(out), "truncated": written.truncated, "levels_dn": list(levels)}
    remarks = (*_remarks(kind, infos, masters, bench), *_pattern_remarks(record))
    if kind is FrameKind.FLAT:
        remarks += tuple(_saturated(members, result.image, bench))
    made = MasterFile(written, plain(record), levels, remarks, result)
    return Batch((made,), tuple(failures))


def _usable(paths: Sequence[Path], kind: FrameKind | None) -> tuple[list[FrameInfo], list[Failure]]:
    """Return the frames of `kind` (None: of any) and of one size, and what is set aside."""
    infos, failures = read_infos(paths)
    if kind is not None:
        infos, strangers = _of_kind(infos, kind)
        failures += strangers
    infos, misfits = agreeing(infos)
    return infos, failures + misfits


def _of_kind(infos: Sequence[FrameInfo], kind: FrameKind) -> tuple[list[FrameInfo], list[Failure]]:
    """Set aside frames that say that they are something else, and masters."""
    kept, failures = [], []
    for info in infos:
        what = None
        if info.is_master:
            what = "an integration of several frames"
        elif info.kind is not None and info.kind not in _SERVES[kind]:
            what = f"a {info.kind} frame (by {info.kind_from})"
        if what is None:
            kept.append(info)
            continue
        error = InputError(
            f"is {what}, not a {kind} frame",
            where=info.path,
            remedy=f"leave it out, or say --any-kind if it is a {kind} frame nevertheless",
        )
        failures.append(Failure(info.path, error))
    return kept, failures


def _job(
    kind: FrameKind, infos: Sequence[FrameInfo], calibration: FlatCalibration
) -> tuple[MasterJob, dict[str, Master]]:
    """Return what is to be integrated, and the masters that flats are calibrated with."""
    first = infos[0]
    masters = dict(_given(calibration))
    steps = []
    raw = tuple(info.path for info in infos if not info.calibration)
    if calibration and raw:
        dark = "dark" if calibration.dark else "flat-dark" if calibration.flat_dark else None
        steps.append(
            Assignment(
                frames=raw,
                bias="bias" if calibration.bias else None,
                dark=dark,
                dark_scaling="optimize" if calibration.dark else "none",
                dark_holds_bias=dark is None or masters[dark].job.holds_bias,
                reasons=tuple(f"{name}: {master.file}" for name, master in masters.items()),
            )
        )
    exposures = [info.exposure_s for info in infos if info.exposure_s is not None]
    temperatures = [info.temperature_c for info in infos if info.temperature_c is not None]
    job = MasterJob(
        name=kind.value,
        kind=kind,
        given=False,
        frames=tuple(info.path for info in infos),
        label=f"{kind} of {len(infos)} frames",
        exposure_s=median(exposures) if exposures else None,
        gain=first.gain,
        temperature_c=median(temperatures) if temperatures else None,
        filter=first.filter if kind is FrameKind.FLAT else None,
        holds_bias=all(FrameKind.BIAS not in info.calibration for info in infos),
        steps=tuple(steps),
    )
    return job, masters


def _given(calibration: FlatCalibration) -> Iterator[tuple[str, Master]]:
    """Read the masters for flats."""
    for name, kind, path in (
        ("bias", FrameKind.BIAS, calibration.bias),
        ("flat-dark", FrameKind.FLAT_DARK, calibration.flat_dark),
        ("dark", FrameKind.DARK, calibration.dark),
    ):
        if path is None:
            continue
        info, pixels = read_image(path)
        job = MasterJob(
            name=name,
            kind=kind,
            given=True,
            frames=(path,),
            label=path.name,
            exposure_s=info.exposure_s,
            gain=info.gain,
            temperature_c=info.temperature_c,
            filter=None,
            holds_bias=FrameKind.BIAS not in info.calibration,
        )
        yield name, Master(job, info, path.name, pixels, {})


def _saturated(
    infos: Sequence[FrameInfo], image: npt.NDArray[np.float32], bench: Bench
) -> Iterator[str]:
    """Yield that flats are too bright, where the full scale of the frames is known."""
    settings = bench.settings.check
    white = infos[0].white_dn
    if white is None:
        return
    limit = settings.flat_limit * white
    share = max(float(np.mean(plane > limit)) for plane in image)
    if share > settings.flat_saturated_fraction:
        yield (
            f"flat-saturated: {number(100 * share)} % of the pixels lie above {limit:.0f} DN,"
            f" {percent(settings.flat_limit, 0)} of full scale: they are not linear, and lights"
            " will be undercorrected; expose the flats for less"
        )


def _pattern_remarks(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a superbias loses of the pattern, where that is more than the noise it avoids."""
    model = record["superbias"]
    if model is None or model["pattern_lost_dn"] <= model["noise_avoided_dn"]:
        return
    lost, avoided = model["pattern_lost_dn"], model["noise_avoided_dn"]
    yield (
        f"the superbias lacks the offsets of single pixels, {lost:.2f} DN (rms), and avoids only"
        f" {avoided:.2f} DN of noise: the plain master bias is the better one for this sensor"
    )


def _remarks(
    kind: FrameKind, infos: Sequence[FrameInfo], masters: Mapping[str, Master], bench: Bench
) -> Iterator[str]:
    """Yield what does not go together."""
    match = bench.settings.match
    sets = gather([replace(info, kind=kind, is_master=False) for info in infos], match)
    if len(sets) > 1:
        labels = "; ".join(frames.label for frames in sets)
        yield f"frames of different settings are integrated together: {labels}"
    if kind is FrameKind.FLAT and not masters and not all(info.calibration for info in infos):
        yield (
            "the flats are not calibrated: their bias stays in, and lights will be undercorrected;"
            " give --bias or --flat-dark"
        )
    for master in masters.values():
        role = master.job.kind
        for frames in sets:
            own = gather([replace(master.info, kind=role)], match)[0]
            for comparison in compare(frames, own, role, match):
                scaled = role is FrameKind.DARK and comparison.quantity in {
                    "exposure",
                    "temperature",
                }
                if (
                    comparison.outcome is Outcome.DIFFERENT
                    and comparison.binding is not Binding.REMARK
                    and not scaled
                ):
                    yield f"{master.file}: {comparison.text}"
