"""SharpCap's settings text beside a frame: ``M42_0001.fits``, ``M42_0001.CameraSettings.txt``.

SharpCap writes few keywords; the camera's settings stand in a text of lines ``Gain=120`` under the
camera's name in brackets. They fill what the header leaves unknown and never overrule it.
"""

from dataclasses import fields, replace
from pathlib import Path

from lightframe.frames._describe import frame_info
from lightframe.frames._header import Card
from lightframe.frames._info import FrameInfo

__all__ = ["SETTINGS_SUFFIX", "settings_cards", "with_settings"]

SETTINGS_SUFFIX = ".CameraSettings.txt"
"""What follows the frame's name without its suffix."""

_PREFIX = "SHARPCAP:"
_LARGEST = 64 * 1024


def settings_cards(path: Path) -> list[Card]:
    """Read the lines ``name=value`` of a settings text as cards ``SHARPCAP:NAME``.

    A text that cannot be read gives no cards: it is an aid, not a frame.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            lines = file.read(_LARGEST).splitlines()
    except OSError:
        return []
    cards = []
    for line in lines:
        name, equals, value = line.strip().partition("=")
        if name.startswith("[") and name.endswith("]"):
            cards.append(Card(f"{_PREFIX}CAMERA", name[1:-1].strip()))
        elif equals and name and not name.startswith("#"):
            cards.append(Card(f"{_PREFIX}{name.strip().upper()}", value.strip()))
    return cards


def with_settings(info: FrameInfo, path: Path) -> FrameInfo:
    """Return the frame with unknown facts taken from the settings text at `path`."""
    cards = settings_cards(path)
    described = frame_info(
        info.path,
        info.format,
        height=info.height,
        width=info.width,
        channels=info.channels,
        sample_format=info.sample_format,
        header=info.header.adding(*cards),
    )
    taken = {
        field.name: getattr(described, field.name)
        for field in fields(info)
        if field.name not in {"notes", "header"}
        and getattr(info, field.name) in {None, "", frozenset()}
        and getattr(described, field.name) not in {None, "", frozenset()}
    }
    if not taken:
        return info
    note = f"from {path.name}: {', '.join(taken)}"
    return replace(info, **taken, header=described.header, notes=(*info.notes, note))
