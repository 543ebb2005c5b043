"""Integration of files of one size (guide, section 9.5), and the fate of one of their pixels."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lightframe.errors import InputError, SettingsError
from lightframe.frames import FrameInfo
from lightframe.processes import PixelTrace, integrate, trace_pixel
from lightframe.session._batch import Batch, Failure, read_infos
from lightframe.session._integrated_file import IntegratedFile, write_integrated
from lightframe.session._stack_files import StackOptions, open_stack
from lightframe.session._stack_looks import Looks, look_at
from lightframe.session._steps import Bench
from lightframe.session._steps_output import OutputSettings, output_file
from lightframe.session._steps_stack import agreeing, workspace

__all__ = ["FileTraces", "integrate_files", "trace_files"]


@dataclass(frozen=True, slots=True)
class FileTraces:
    """The fate of one pixel of files.

    Attributes
    ----------
    infos : tuple of FrameInfo
        The files that were followed, in the order in which the traces number them.
    traces : tuple of PixelTrace
        One a channel.
    """

    infos: tuple[FrameInfo, ...]
    traces: tuple[PixelTrace, ...]


def integrate_files(
    paths: Sequence[Path],
    out: Path,
    bench: Bench,
    output: OutputSettings = OutputSettings(),
    options: StackOptions = StackOptions(),
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
        Settings: ``lights``, and ``detection`` where stars tell scales or weights.
    output : OutputSettings
        Format, scale and samples.
    options : StackOptions
        Reference, weights, pedestals.

    Returns
    -------
    Batch of IntegratedFile
        One result; files that cannot be read, have no pixels or are of another size are set aside.

    Raises
    ------
    SettingsError
        If weights are missing, or the file cannot be written.
    InputError
        If the reference is not among the files, a level cannot be normalized, or a weight cannot be
        measured.
    """
    output_file(out, paths, bench.progress.message)
    infos, failures = _readable(paths)
    if not infos:
        return Batch((), tuple(failures))
    settings = bench.settings.lights
    with bench.hashing.of(info.path for info in infos) as digest:
        with _looked_at(infos, paths, out, bench, options) as (looks, others):
            sources = looks.stack.sources
            total = sources[0].channels * sources[0].height * sources[0].width
            with bench.progress.step(f"Integrating {len(sources)} files", total) as advance:
                result = integrate(
                    sources,
                    settings,
                    statistics=looks.statistics,
                    weights=looks.weights,
                    reference=looks.stack.reference,
                    noise_model=looks.noise_model,
                    memory_bytes=bench.memory_bytes,
                    threads=bench.threads,
                    advance=advance,
                )
        made = write_integrated(out, looks, result, settings, output, digest)
    return Batch((made,), (*failures, *others))


def trace_files(
    paths: Sequence[Path],
    pixel: tuple[int, int],
    bench: Bench,
    options: StackOptions = StackOptions(),
) -> Batch[FileTraces]:
    """Follow one pixel through the integration of files.

    Parameters
    ----------
    paths : sequence of Path
        As in `integrate_files`.
    pixel : tuple of int
        Column and row, from 0 at the first stored pixel.
    bench, options
        As in `integrate_files`.

    Returns
    -------
    Batch of FileTraces
        One item; files that an integration sets aside are set aside here, too.

    Raises
    ------
    SettingsError
        If the pixel lies outside the image.
    InputError
        As in `integrate_files`.
    """
    infos, failures = _readable(paths)
    if not infos:
        return Batch((), tuple(failures))
    x, y = pixel
    if not (0 <= x < infos[0].width and 0 <= y < infos[0].height):
        raise SettingsError(
            f"pixel {x},{y} lies outside the image of {infos[0].width} x {infos[0].height} pixels",
            remedy="count columns and rows from 0",
        )
    scratch = Path(tempfile.gettempdir()) / "trace"
    with _looked_at(infos, paths, scratch, bench, options) as (looks, others):
        traces = trace_pixel(
            looks.stack.sources,
            bench.settings.lights,
            x,
            y,
            statistics=looks.statistics,
            weights=looks.weights,
            reference=looks.stack.reference,
        )
    return Batch((FileTraces(looks.stack.infos, traces),), (*failures, *others))


def _readable(paths: Sequence[Path]) -> tuple[list[FrameInfo], list[Failure]]:
    """Return the files that go together, and why the others do not."""
    infos, unreadable = read_infos(paths)
    infos, misfits = agreeing(infos)
    return infos, unreadable + misfits


@contextmanager
def _looked_at(
    infos: Sequence[FrameInfo],
    paths: Sequence[Path],
    beside: Path,
    bench: Bench,
    options: StackOptions,
) -> Iterator[tuple[Looks, list[Failure]]]:
    """Open and measure the files; give also those that turned out to be useless."""
    with workspace(bench, beside) as context, ExitStack() as stack:
        opened = open_stack(infos, paths, context, stack, options)
        looks = look_at(opened, bench)
        failures = [Failure(e.path, InputError(e.reason)) for e in context.exclusions]
        yield looks, [*failures, *looks.failures]
