"""Integration of files of one size (guide, section 9.5), and the fate of one of their pixels."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lightframe.errors import InputError, SettingsError
from lightframe.frames import Card, FrameInfo, FrameKind, Header
from lightframe.processes import (
    Integration,
    IntegrationSettings,
    PixelTrace,
    integrate,
    trace_pixel,
)
from lightframe.session._noise import colour_noise
from lightframe.session._provenance import cfa_cards, combined_header, hashes, history, image_type
from lightframe.session._stack_files import Looks, Stack, StackOptions, look_at, open_stack
from lightframe.session._steps import Batch, Bench, Failure, plain
from lightframe.session._steps_headers import astrometry_of, noise_in_pixel_units
from lightframe.session._steps_output import OutputSettings, Written, output_file, write
from lightframe.session._steps_stack import agreeing, read_infos, workspace

__all__ = ["IntegratedFile", "integrate_files", "trace_files"]


@dataclass(frozen=True, slots=True)
class IntegratedFile:
    """The result of an integration.

    Attributes
    ----------
    written : Written
        The file.
    infos : tuple of FrameInfo
        The files that were integrated.
    reference : int
        Index of the file that the others were normalized to.
    integration : Integration
        Image and maps.
    noise_dn : tuple of float
        Noise of the result, by channel or colour.
    looks : Looks
        What the files have shown.
    remarks : tuple of str
        What the user should know.
    """

    written: Written
    infos: tuple[FrameInfo, ...]
    reference: int
    integration: Integration = field(repr=False)
    noise_dn: tuple[float, ...]
    looks: Looks = field(repr=False)
    remarks: tuple[str, ...]

    @property
    def frames_noise_dn(self) -> tuple[float, ...]:
        """Noise of each file that its weight is made of, mean of its channels."""
        return tuple(float(s.noise.mean()) for s in self.looks.statistics)

    @property
    def gain_over_best(self) -> float:
        """Least noise of a file, brought to the result's scale, over the noise of the result."""
        factors = self.integration.factors.mean(axis=1)
        measured = self.looks.measured_noise_dn
        least = min(sigma * abs(f) for sigma, f in zip(measured, factors, strict=True))
        noise = float(np.mean(self.noise_dn))
        return least / noise if noise > 0 else float("nan")

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values: ``result`` as in run.json's results, and ``lights``."""
        result, image = self.integration, self.integration.image
        frames_noise_dn = self.frames_noise_dn
        exposures = [info.exposure_s for info in self.infos]
        total = None if None in exposures else float(sum(e or 0.0 for e in exposures))
        document: dict[str, Any] = plain(
            {
                "result": {
                    "path": str(self.written.path),
                    "frames": len(self.infos),
                    "exposure_s": total,
                    "normalized_to": str(self.infos[self.reference].path),
                    "rejection": result.rejection,
                    "noise_dn": list(self.noise_dn),
                    "gain_over_best_frame": self.gain_over_best,
                    "channels": image.shape[0],
                    "height": image.shape[1],
                    "width": image.shape[2],
                    "rejected_low": float(np.mean(result.rejected_low)),
                    "rejected_high": float(np.mean(result.rejected_high)),
                    "missing": int(np.count_nonzero(np.isnan(image))),
                    "truncated": self.written.truncated,
                    "notes": list(self.remarks),
                },
                "lights": [
                    {
                        "path": str(info.path),
                        "used": True,
                        "reason": "",
                        "reference": index == self.reference,
                        "exposure_s": info.exposure_s,
                        "weight": float(result.weights[index].mean()),
                        "scale": float(result.factors[index].mean()),
                        "noise_dn": frames_noise_dn[index],
                        "rejected_low": float(result.frames_low[index].mean()),
                        "rejected_high": float(result.frames_high[index].mean()),
                        "rejected_fraction": float(
                            (result.frames_low[index] + result.frames_high[index]).mean()
                        ),
                    }
                    for index, info in enumerate(self.infos)
                ],
            }
        )
        return document


def integrate_files(
    paths: Sequence[Path],
    out: Path,
    bench: Bench,
    output: OutputSettings = OutputSettings(),  # noqa: B008 - frozen
    options: StackOptions = StackOptions(),  # noqa: B008 - frozen
) -> Batch[IntegratedFile]:
    """Integrate files of one size and write the result with its maps.

    Parameters
    ----------
    paths : sequence of Path
        Registered lights, or anything of one size.
    out : Path
        The file to write, with the extensions WEIGHT, REJ_LOW, REJ_HIGH, and SLOPE and VARIANCE
        where they were made.
    bench : Bench
        Settings: ``lights``.
    output : OutputSettings
        Format, scale and samples.
    options : StackOptions
        Reference, weights, pedestals.

    Returns
    -------
    Batch of IntegratedFile
        One result; files that cannot be read, or are of another size, are set aside.

    Raises
    ------
    SettingsError
        If weights are missing, or the file cannot be written.
    InputError
        If the reference is not among the files, or a level cannot be normalized.
    """
    output_file(out, paths)
    infos, failures = read_infos(paths)
    infos, misfits = agreeing(infos)
    failures += misfits
    if not infos:
        return Batch((), tuple(failures))
    with workspace(bench, out) as context, ExitStack() as stack:
        opened = open_stack(infos, paths, context, stack, options)
        failures += [Failure(e.path, InputError(e.reason)) for e in context.exclusions]
        settings = bench.settings.lights
        first = opened.sources[0]
        total = first.channels * first.height * first.width
        looks = look_at(opened, bench)
        with bench.progress.step(f"Integrating {len(opened.infos)} files", total) as advance:
            result = integrate(
                opened.sources,
                settings,
                statistics=looks.statistics,
                weights=opened.weights,
                reference=opened.reference,
                memory_bytes=bench.memory_bytes,
                threads=bench.threads,
                advance=advance,
            )
    made = _written(out, opened, result, looks, (settings, output, bench))
    return Batch((made,), tuple(failures))


def trace_files(
    paths: Sequence[Path],
    pixel: tuple[int, int],
    bench: Bench,
    options: StackOptions = StackOptions(),  # noqa: B008 - frozen
) -> tuple[tuple[FrameInfo, ...], tuple[PixelTrace, ...]]:
    """Follow one pixel through the integration of files.

    Parameters
    ----------
    paths : sequence of Path
        As in `integrate_files`.
    pixel : tuple of int
        Column and row, from 0 at the first stored pixel.

    Raises
    ------
    SettingsError
        If the pixel lies outside the image.
    InputError
        If no file can be read.
    """
    infos, failures = read_infos(paths)
    infos, misfits = agreeing(infos)
    failures += misfits
    if not infos:
        raise failures[0].error
    x, y = pixel
    if not (0 <= x < infos[0].width and 0 <= y < infos[0].height):
        raise SettingsError(
            f"pixel {x},{y} lies outside the image of {infos[0].width} x {infos[0].height} pixels",
            remedy="count columns and rows from 0",
        )
    with workspace(bench, Path(tempfile.gettempdir()) / "trace") as context, ExitStack() as stack:
        opened = open_stack(infos, paths, context, stack, options)
        traces = trace_pixel(
            opened.sources,
            bench.settings.lights,
            x,
            y,
            statistics=look_at(opened, bench).statistics,
            weights=opened.weights,
            reference=opened.reference,
        )
    return opened.infos, traces


def _kinds_remark(infos: Sequence[FrameInfo]) -> tuple[str, ...]:
    """Return a remark where lights and calibration frames are mixed."""
    kinds = Counter(info.kind.value for info in infos if info.kind is not None)
    if len(kinds) <= 1:
        return ()
    names = ", ".join(f"{count} x {kind}" for kind, count in kinds.most_common())
    return (f"files of different kinds are integrated together: {names}",)


def _written(
    out: Path,
    opened: Stack,
    result: Integration,
    looks: Looks,
    how: tuple[IntegrationSettings, OutputSettings, Bench],
) -> IntegratedFile:
    """Write image and maps."""
    settings, output, bench = how
    infos = opened.infos
    kinds = {info.kind for info in infos}
    kind = (kinds.pop() if len(kinds) == 1 else None) or FrameKind.LIGHT
    cfa = infos[0].cfa if result.image.shape[0] == 1 else None
    noise = colour_noise(result.image, cfa)
    digests = hashes([info.path for info in infos], bench.threads)
    header = combined_header(infos, kind).adding(
        *(cfa_cards(infos[0]) if cfa is not None else ()),
        *_shared_astrometry(opened),
        *_calstat(infos),
        *noise_in_pixel_units(noise, output),
        *history(*_history(opened, result, settings), *_inputs(opened, result, digests)),
    )
    maps = [
        ("WEIGHT", result.weight),
        ("REJ_LOW", result.rejected_low),
        ("REJ_HIGH", result.rejected_high),
    ]
    maps += [
        (name, array)
        for name, array in (("SLOPE", result.slope), ("VARIANCE", result.variance))
        if array is not None
    ]
    written = write(
        out,
        result.image,
        header,
        output,
        cfa=cfa,
        maps=maps,
        image_type=image_type(kind).replace(" ", "").replace("-", ""),
    )
    remarks = (*_kinds_remark(infos), *looks.remarks)
    return IntegratedFile(written, infos, opened.reference, result, noise, looks, remarks)


def _shared_astrometry(opened: Stack) -> list[Card]:
    """Return the reference's astrometric solution where the files lie on one grid."""
    registered = all(
        any("StarAlignment" in str(line) for line in info.header.values("HISTORY"))
        for info in opened.infos
    )
    header: Header = opened.infos[opened.reference].header
    return astrometry_of(header) if registered else []


def _calstat(infos: Sequence[FrameInfo]) -> list[Card]:
    """Return what all files were calibrated with."""
    common = frozenset.intersection(*(info.calibration for info in infos))
    letters = "".join(
        letter
        for letter, kind in (("B", FrameKind.BIAS), ("D", FrameKind.DARK), ("F", FrameKind.FLAT))
        if kind in common
    )
    return [Card("CALSTAT", letters, "calibration applied")] if letters else []


def _history(opened: Stack, result: Integration, settings: IntegrationSettings) -> list[str]:
    return [
        f"ImageIntegration.pixelCombination: {settings.combination}",
        f"ImageIntegration.outputNormalization: {settings.normalization}",
        f"ImageIntegration.weightMode: {settings.weight}",
        f"ImageIntegration.pixelRejection: {result.rejection}",
        f"ImageIntegration.rejectionNormalization: {settings.rejection_normalization}",
        f"ImageIntegration.referenceImage: {opened.infos[opened.reference].path.name}",
        f"ImageIntegration.numberOfImages: {len(opened.infos)}",
        f"ImageIntegration.totalRejectedLow: {float(np.mean(result.rejected_low)):.6f}",
        f"ImageIntegration.totalRejectedHigh: {float(np.mean(result.rejected_high)):.6f}",
    ]


def _inputs(opened: Stack, result: Integration, digests: dict[Path, str]) -> list[str]:
    return [
        f"Input {info.path.name} weight {float(result.weights[index].mean()):.4f}"
        f" SHA-256 {digests[info.path]}"
        for index, info in enumerate(opened.infos)
    ]
