"""Frame kinds: the words by which headers, folders and file names tell what a frame is for.

Words are compared as wholes after cutting at spaces, signs, digits and changes of case, never as
substrings: a target named *Flatiron* is no flat. Flat-darks are looked for first, since their name
holds both of the others'.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from lightframe.frames._header import Header
from lightframe.frames._info import FrameInfo, FrameKind
from lightframe.frames._names import stem_of
from lightframe.frames._values import text
from lightframe.tables import Table

__all__ = [
    "FRAME_KINDS",
    "KindReading",
    "KindWords",
    "kind_from_header",
    "kind_from_path",
    "kind_notes",
    "recognise_flat_darks",
]


@dataclass(frozen=True, slots=True)
class KindWords:
    """Words for one kind, written together and in lower case.

    Attributes
    ----------
    anywhere : frozenset of str
        Tell the kind in headers, folder names and file names.
    in_headers : frozenset of str
        Tell it in headers only; in names they mean too many other things.
    """

    anywhere: frozenset[str]
    in_headers: frozenset[str] = frozenset()


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


FRAME_KINDS: Table[KindWords] = Table("frame kind")
"""In the order in which they are tested."""

FRAME_KINDS.enter(
    FrameKind.FLAT_DARK,
    "no light, with the exposure of the flats: their dark current and bias",
    KindWords(
        _words("darkflat darkflats flatdark flatdarks darkforflat darkforflats darksforflats")
    ),
)
FRAME_KINDS.enter(
    FrameKind.DARK,
    "no light, with the exposure of the lights: dark current and bias",
    KindWords(_words("dark darks")),
)
FRAME_KINDS.enter(
    FrameKind.BIAS,
    "no light, the shortest exposure: what reading alone adds (zero, offset)",
    KindWords(_words("bias biases offset offsets"), _words("zero zeros")),
)
FRAME_KINDS.enter(
    FrameKind.FLAT,
    "an even field: vignetting, dust and the pixels' sensitivities",
    KindWords(
        _words(
            "flat flats flatfield flatfields skyflat skyflats domeflat domeflats panelflat"
            " panelflats twilightflat twilightflats"
        ),
        _words("twilight dflat sflat lampflat"),
    ),
)
FRAME_KINDS.enter(
    FrameKind.LIGHT,
    "the sky: what all the others are for",
    KindWords(
        _words("light lights"),
        _words("science object target tricolor snapshot integration stack expose"),
    ),
)

_PICTTYPE = {1: FrameKind.LIGHT, 2: FrameKind.BIAS, 3: FrameKind.DARK, 4: FrameKind.FLAT}
"""The index of SBIG's software and TheSkyX; 0 is unknown."""

_HEADER_KEYWORDS = (
    "XISF:IMAGETYPE", "IMAGETYP", "FRAMETYP", "FRAME", "OBSTYPE", "PICTTYPE", "CALFRAME",
    "INTEGRAT", "SHARPCAP:FRAMETYPE",
)  # fmt: skip

_PIECE = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")
_MASTER = frozenset({"master", "super"})
_FRAME = frozenset({"frame", "frames", "image", "images"})
_LONGEST = 3  # pieces of the longest word: "dark", "for", "flats"


class KindReading(NamedTuple):
    """What was said about a frame's kind.

    Attributes
    ----------
    kind : FrameKind or None
        None where nothing, or nothing certain, was said.
    source : str
        The keyword, or the words of the path, that said so.
    is_master : bool
        Whether the same words call it a master or a stack.
    notes : tuple of str
        What was not understood or contradicts itself.
    """

    kind: FrameKind | None = None
    source: str = ""
    is_master: bool = False
    notes: tuple[str, ...] = ()


def _pieces(words: str) -> list[str]:
    return [piece.lower() for piece in _PIECE.findall(words)]


def _kind_of(word: str, *, in_header: bool) -> FrameKind | None:
    for entry in FRAME_KINDS.entries():
        known = entry.value
        if word in known.anywhere or (in_header and word in known.in_headers):
            return FrameKind(entry.name)
    return None


def _without_master(word: str) -> str:
    """Cut ``master`` off a word written together, ``masterflat``."""
    return next((word.removeprefix(master) for master in _MASTER if word.startswith(master)), word)


def kind_from_header(header: Header) -> KindReading:
    """Return the kind that the keywords state, the first understood one deciding."""
    notes: list[str] = []
    for keyword in _HEADER_KEYWORDS:
        card = header.card(keyword)
        words = None if card is None else text(card)
        if words is None:
            continue
        if keyword == "PICTTYPE" and words.isdecimal():
            if kind := _PICTTYPE.get(int(words)):
                return KindReading(kind, keyword, notes=tuple(notes))
            continue
        pieces = [piece for piece in _pieces(words) if piece not in _FRAME]
        joined = "".join(pieces)
        bare = _without_master(joined)
        if kind := _kind_of(bare, in_header=True):
            is_master = bare != joined or bare in {"stack", "integration"}
            return KindReading(kind, keyword, is_master, tuple(notes))
        notes.append(f"{keyword} = {words!r} is not a kind of frame that is known here")
    calibrated = str(header.get("CALSTAT") or "").upper()
    if "F" in calibrated:
        return KindReading(FrameKind.LIGHT, "CALSTAT", notes=tuple(notes))
    return KindReading(notes=tuple(notes))


def kind_notes(info: FrameInfo) -> tuple[str, ...]:
    """Return what header and path say of the kind that was not understood or contradicts itself."""
    by_header = kind_from_header(info.header).notes
    return by_header + kind_from_path(info.path, info.object).notes


_PROCESSED = frozenset({"pp", "r", "c", "cal", "raw", "my"})
"""Prefixes that programs and people set before the word: ``r_pp_light_``."""
_STACKED = frozenset({"stack", "stacked", "stacks"})
_FOLDERS = 4
"""Folders above a file whose names are heeded."""


class _Found(NamedTuple):
    kind: FrameKind
    word: str
    leading: bool
    is_master: bool


def kind_from_path(path: Path, object_name: str | None = None) -> KindReading:
    """Return the kind that the file's name and its folders tell: the last resort.

    A file name tells by the first such word in it, a folder if its first or last word is one, the
    nearest such folder counting. Where name and folder disagree nothing is certain and the kind is
    None. The object's own name is left out, so that a target named *Darks* does not mislead.

    Parameters
    ----------
    path : Path
        The file.
    object_name : str, optional
        Name of the object, as the header has it.
    """
    skipped = _pieces(object_name or "")
    pieces = _without(_pieces(stem_of(path)), skipped)
    by_name = _find(pieces)
    by_folder, folder = _nearest_folder(path, skipped)
    is_master = pieces[:1] == ["stacked"]
    if by_name is not None:
        is_master = is_master or by_name.is_master or not _STACKED.isdisjoint(pieces)
    if by_name is None or by_folder is None or by_name.kind == by_folder:
        kind = by_folder if by_name is None else by_name.kind
        source = f"the folder {folder!r}" if by_name is None else "the file's name"
        return KindReading(kind, source if kind else "", is_master)
    if {by_name.kind, by_folder} == {FrameKind.DARK, FrameKind.FLAT_DARK}:
        return KindReading(FrameKind.FLAT_DARK, f"the folder {folder!r}", is_master)
    note = f"the file's name says {by_name.kind}, its folder {folder!r} says {by_folder}"
    return KindReading(None, "", is_master, (note,))


def _nearest_folder(path: Path, skipped: list[str]) -> tuple[FrameKind | None, str]:
    """Return the kind and name of the nearest folder that tells one."""
    for folder in list(path.parents)[:_FOLDERS]:
        kind = _kind_of_folder(_without(_pieces(folder.name), skipped))
        if kind is not None:
            return kind, folder.name
    return None, ""


def _without(pieces: list[str], unwanted: Sequence[str]) -> list[str]:
    """Leave out the first place where all of `unwanted` follow one another."""
    size = len(unwanted)
    for start in range(len(pieces) - size + 1 if size else 0):
        if pieces[start : start + size] == unwanted:
            return pieces[:start] + pieces[start + size :]
    return pieces


def _find(pieces: Sequence[str]) -> _Found | None:
    """Return the first word for a kind, the longest at its place."""
    heads = _PROCESSED | _MASTER
    lead = next((i for i, piece in enumerate(pieces) if piece not in heads), len(pieces))
    for start in range(len(pieces)):
        for size in range(_LONGEST, 0, -1):
            joined = "".join(pieces[start : start + size])
            word = _without_master(joined)
            kind = _kind_of(word, in_header=False)
            # "Gain120_Offset30": an offset counts only where the name starts with it.
            if kind and (start <= lead or not word.startswith("offset")):
                is_master = word != joined or not _MASTER.isdisjoint(pieces[:start])
                return _Found(kind, word, start <= lead, is_master)
    return None


def _kind_of_folder(pieces: Sequence[str]) -> FrameKind | None:
    """Return the kind of a folder whose first or last word is one; two kinds tell nothing."""
    first = _find(pieces)
    if first is None:
        return None
    tails = (pieces[-size:] for size in range(_LONGEST, 0, -1))
    last = next((kind for tail in tails if (kind := _whole(tail))), None)
    if first.leading:
        return None if last not in {None, first.kind} else first.kind
    return None if pieces[-1].startswith("offset") else last


def _whole(pieces: Sequence[str]) -> FrameKind | None:
    return _kind_of(_without_master("".join(pieces)), in_header=False)


class _Setup(NamedTuple):
    """What decides whether a dark belongs to a flat or a light; None is unknown and fits all."""

    exposure_s: float
    known: tuple[object, ...]

    def fits(self, other: "_Setup") -> bool:
        """Whether exposure and all that both know are equal."""
        return math.isclose(self.exposure_s, other.exposure_s, rel_tol=1e-3, abs_tol=1e-6) and all(
            a is None or b is None or a == b for a, b in zip(self.known, other.known, strict=True)
        )


def _setup(frame: FrameInfo) -> _Setup | None:
    if frame.exposure_s is None:
        return None
    return _Setup(
        frame.exposure_s, (frame.gain, frame.binning, frame.camera, frame.height, frame.width)
    )


def recognise_flat_darks(frames: Iterable[FrameInfo]) -> tuple[FrameInfo, ...]:
    """Return the frames with those darks made flat-darks that can only belong to the flats.

    Many programs (N.I.N.A. from 3 on, for one) call a flat-dark DARK. One that has the exposure of
    flats (and gain, binning, camera and size where known) and of no light is a flat-dark; so is a
    dark whose OBJECT is ``'FlatWizard'``.
    """
    frames = tuple(frames)
    flats = {setup for frame in frames if frame.kind is FrameKind.FLAT and (setup := _setup(frame))}
    lights = {
        setup for frame in frames if frame.kind is FrameKind.LIGHT and (setup := _setup(frame))
    }
    return tuple(
        _as_flat_dark(frame, flats, lights) if frame.kind is FrameKind.DARK else frame
        for frame in frames
    )


def _as_flat_dark(frame: FrameInfo, flats: set[_Setup], lights: set[_Setup]) -> FrameInfo:
    if (frame.object or "").lower().replace(" ", "") == "flatwizard":
        source, reason = "OBJECT", f"OBJECT is {frame.object!r}"
    else:
        setup = _setup(frame)
        if setup is None or not any(setup.fits(flat) for flat in flats):
            return frame
        if any(setup.fits(light) for light in lights):
            return frame
        source = "exposure"
        reason = f"its exposure of {frame.exposure_s:g} s is that of flats and of no light"
    note = f"taken as flat-dark, though {frame.kind_from or 'it'} says dark: {reason}"
    return replace(frame, kind=FrameKind.FLAT_DARK, kind_from=source, notes=(*frame.notes, note))
