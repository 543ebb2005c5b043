"""Masters that were named by hand: what they say of themselves, against the frames they are for."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from lightframe.checks._plan_records import Binding, Outcome
from lightframe.errors import SettingsError
from lightframe.frames import FrameInfo, FrameKind
from lightframe.session._match import compare
from lightframe.session._match_settings import MatchSettings
from lightframe.session._sets import gather

__all__ = ["SERVES", "differences", "refuse_exchanged"]

SERVES = {
    FrameKind.BIAS: {FrameKind.BIAS, FrameKind.FLAT_DARK, FrameKind.DARK},
    FrameKind.DARK: {FrameKind.DARK, FrameKind.FLAT_DARK},
    FrameKind.FLAT: {FrameKind.FLAT},
}


def refuse_exchanged(info: FrameInfo, kind: FrameKind) -> None:
    """Raise if a flat or light is given as bias or dark, or the reverse.

    Raises
    ------
    SettingsError
        If it is.
    """
    said = info.kind
    if said is None or said in SERVES[kind]:
        return
    if kind is FrameKind.FLAT or said in {FrameKind.FLAT, FrameKind.LIGHT}:
        raise SettingsError(
            f"{info.path.name}, given as {kind}, says of itself that it is a {said}",
            where=info.path,
            cause="two masters were exchanged, or its header is wrong",
            remedy=f"give a {kind}, or correct IMAGETYP in the header of this one",
        )


def differences(
    master: FrameInfo,
    kind: FrameKind,
    light: FrameInfo,
    settings: MatchSettings,
    ignored: Collection[str] = (),
) -> Iterator[str]:
    """Yield in what a master, given as `kind`, does not fit a light, but for `ignored`."""
    target = gather([replace(light, kind=FrameKind.LIGHT)], settings)[0]
    source = gather([replace(master, kind=kind)], settings)[0]
    for comparison in compare(target, source, kind, settings):
        if (
            comparison.outcome is Outcome.DIFFERENT
            and comparison.binding is not Binding.REMARK
            and comparison.quantity not in ignored
        ):
            yield f"{master.path.name}: {comparison.text}"
