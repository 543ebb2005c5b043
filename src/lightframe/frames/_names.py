"""Facts that only a file's name carries.

Names are the last resort. Each row is the pattern of one spelling::

    masterDark_BIN-1_6248x4176_EXPOSURE-300.00s_GAIN-100_SET-TEMP--10        WBPP
    MasterFlat_Stack20_50.0ms_Bin1_2600MC_filter-NoFilter_gain100_20250221_1.6C      ASIAIR
    dark_exp_120.000000_gain_60_bin_1_44C_stack_9                            DWARFLAB
    master_dark_30x300s_at_-10C                                              ASTAP
    LIGHT_240s_1600iso_+28c_00721stdev_20131230-23h12m14s396ms               BackyardEOS
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from lightframe.frames import _values as values
from lightframe.frames._header import Card

__all__ = ["facts_of_name", "stem_of"]

_KEY = r"(?<![A-Za-z])"
_NUMBER = r"(\d+(?:[.,]\d+)?)"
_SIGNED = r"([+-]?\d+(?:[.,]\d+)?)"
_START = r"(?<![A-Za-z0-9.+-])"
_END = r"(?![A-Za-z0-9])"


def _number(*groups: str) -> float | None:
    return values.number(Card("", groups[0]))


def _seconds(*groups: str) -> float | None:
    return values.time_s(Card("", f"{groups[0]} {groups[1] or 's'}"))


def _binning(*groups: str) -> tuple[int, int]:
    return int(groups[0]), int(groups[1] or groups[0])


def _count(*groups: str) -> int | None:
    return int(groups[0]) or None


def _words(*groups: str) -> str | None:
    name = values.text(Card("", groups[0]))
    return None if name is None or name.lower() == "nofilter" else name


class _Spelling(NamedTuple):
    field: str
    pattern: re.Pattern[str]
    parse: Callable[..., Any]


def _spelling(field: str, pattern: str, parse: Callable[..., Any]) -> _Spelling:
    return _Spelling(field, re.compile(pattern, re.IGNORECASE), parse)


_SPELLINGS = (
    _spelling(
        "exposure_s", rf"{_KEY}(?:exposure|exptime|exp)[-_=]?{_NUMBER}(us|ms|s)?{_END}", _seconds
    ),
    _spelling(
        "exposure_s", rf"(?<![A-Za-z0-9.])(?:\d+x)?{_NUMBER}(us|ms|s)(?:ecs?)?{_END}", _seconds
    ),
    _spelling("gain", rf"{_KEY}gain[-_=]?{_NUMBER}", _number),
    _spelling("gain", rf"{_KEY}iso[-_=]?(\d+)|(?<!\d)(\d+)iso{_END}", _number),
    _spelling("offset", rf"(?<=[_\s-])offset[-_=]?{_NUMBER}", _number),
    _spelling("set_temperature_c", rf"{_KEY}set-?temp[-_=]{_SIGNED}", _number),
    _spelling("temperature_c", rf"{_KEY}ccd-?temp[-_=]{_SIGNED}", _number),
    _spelling("temperature_c", rf"{_START}{_SIGNED}c{_END}", _number),
    _spelling("binning", rf"{_KEY}bin(?:ning)?[-_=]?([1-9])(?:x([1-9]))?(?!\d)", _binning),
    _spelling("filter", rf"{_KEY}filter[-_=]([^_]+?)(?=_|-binning|-exptime|$)", _words),
    # ASIAIR puts the filter, or the model of a colour camera, between binning and gain.
    _spelling("filter", r"_bin\d_(?!\d+m[cm]_)([^_]+)_gain\d", _words),
    _spelling("readout_mode", rf"{_KEY}readoutm[-_=]([^_]+)", _words),
    _spelling("frames_combined", rf"{_KEY}stack(?:ed)?[-_]?(\d+){_END}", _count),
    _spelling("frames_combined", rf"(?<![A-Za-z0-9.])(\d+)x(?:{_NUMBER}s|f){_END}", _count),
)

_PACKED = frozenset({".gz", ".fz", ".bz2"})


def stem_of(path: Path) -> str:
    """Return the file's name without suffix, ``.fits.gz`` counting as one."""
    return Path(path.stem).stem if path.suffix.lower() in _PACKED else path.stem


def facts_of_name(path: Path) -> dict[str, Any]:
    """Return what the file's name states, by fields of `FrameInfo`."""
    stem = stem_of(path)
    facts: dict[str, Any] = {}
    for spelling in _SPELLINGS:
        match = None if spelling.field in facts else spelling.pattern.search(stem)
        if match is None:
            continue
        groups = [group for group in match.groups() if group is not None]
        groups += [""] * (len(match.groups()) - len(groups))
        value = spelling.parse(*groups)
        if value is not None:
            facts[spelling.field] = value
    return facts
