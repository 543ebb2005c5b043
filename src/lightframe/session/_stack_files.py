"""Files that are to become one image: opened, with the weights that come with them."""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from lightframe.errors import InputError, SettingsError
from lightframe.frames import FrameInfo, PixelSource, Window
from lightframe.processes import IntegrationSettings, frame_pedestal
from lightframe.session._context import Context
from lightframe.session._sources import Derived

__all__ = ["Stack", "StackOptions", "open_stack"]

_NEEDS_NUMBERS = {"keyword", "given"}


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
    """Open files, ready to be integrated.

    Attributes
    ----------
    infos : tuple of FrameInfo
        Headers of the files that could be opened.
    sources : tuple of PixelSource
        Their pixels.
    reference : int
        Index of the file to whose level and scale the others are brought.
    reference_given : bool
        Whether it was asked for.
    weights : list of float or None
        One number a file, where settings or headers give them.
    """

    infos: tuple[FrameInfo, ...]
    sources: tuple[PixelSource, ...]
    reference: int
    reference_given: bool
    weights: list[float] | None

    def without(self, paths: Collection[Path]) -> Self:
        """Return the stack without some files.

        Raises
        ------
        InputError
            If the reference that was asked for is one of them, or none is left.
        """
        if not paths:
            return self
        reference = self.infos[self.reference].path
        if (self.reference_given and reference in paths) or len(paths) == len(self.infos):
            raise InputError(
                "has no pixel with a value, and the others are to be normalized to it",
                where=reference,
                remedy="name another file with --reference",
            )
        kept = [index for index, info in enumerate(self.infos) if info.path not in paths]
        infos = tuple(self.infos[index] for index in kept)
        return replace(
            self,
            infos=infos,
            sources=tuple(self.sources[index] for index in kept),
            reference=next((i for i, info in enumerate(infos) if info.path == reference), 0),
            weights=None if self.weights is None else [self.weights[index] for index in kept],
        )


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
        options.reference is not None,
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
        f"{name} is no number: {value!r}" if value is not None else f"{name} is not in its header",
        where=info.path,
        remedy="leave the file out, or choose another weight",
    )
