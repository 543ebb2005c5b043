"""Frames that exist as headers only, for tests of the plan."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from lightframe.frames import FrameInfo, FrameKind

NIGHT = date(2026, 3, 14)

COOLED = FrameInfo(
    path=Path("frame.fits"),
    format="fits",
    height=2000,
    width=3000,
    channels=1,
    sample_format="uint16",
    gain=100.0,
    offset=50.0,
    readout_mode="Photographic",
    temperature_c=-10.0,
    set_temperature_c=-10.0,
    binning=(1, 1),
    camera="ZWO ASI2600MM Pro",
    software="N.I.N.A.",
    telescope="Refractor",
    focal_length_mm=500.0,
    night=NIGHT,
    time=datetime(2026, 3, 14, 22, tzinfo=UTC),
)


def frames(kind, count=12, *, base=COOLED, folder="", **facts):
    """Return `count` frames of one kind; `facts` replace those of `base`."""
    folder = folder or "_".join([kind, *(str(value) for value in facts.values())])
    return [
        replace(
            base, kind=kind, path=Path("session") / folder / f"{kind}_{number:03d}.fits", **facts
        )
        for number in range(count)
    ]


def lights(count=12, **facts):
    """Return lights of M 31 through the filter L, 120 s."""
    return frames(
        FrameKind.LIGHT, count, **{"object": "M 31", "filter": "L", "exposure_s": 120.0} | facts
    )


def darks(count=12, **facts):
    """Return darks of 120 s."""
    return frames(FrameKind.DARK, count, **{"exposure_s": 120.0} | facts)


def biases(count=12, **facts):
    """Return bias frames."""
    return frames(FrameKind.BIAS, count, **{"exposure_s": 0.0001} | facts)


def flats(count=12, **facts):
    """Return flats through the filter L, 2 s."""
    return frames(FrameKind.FLAT, count, **{"filter": "L", "exposure_s": 2.0} | facts)


def flat_darks(count=12, **facts):
    """Return flat-darks of 2 s."""
    return frames(FrameKind.FLAT_DARK, count, **{"exposure_s": 2.0} | facts)


def master(kind, **facts):
    """Return one given master."""
    name = facts.pop("name", f"master_{kind}.xisf")
    [info] = frames(kind, 1, is_master=True, **facts)
    return replace(info, path=Path("masters") / name, format="xisf", sample_format="float32")
