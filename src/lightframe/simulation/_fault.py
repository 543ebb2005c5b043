"""The base of all faults."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lightframe.arrays import Float32, UInt16
from lightframe.frames import FrameKind, Header
from lightframe.settings import Settings
from lightframe.simulation._sensor import Sensor
from lightframe.simulation._shots import Shot

__all__ = ["Fault"]

Raw = UInt16


class Fault(Settings):
    """Base of all faults: which frames are touched; by itself it changes nothing."""

    fault: str
    """Name of the fault."""

    kinds: tuple[FrameKind, ...] = ()
    """Kinds of frames that are touched; all if empty."""

    numbers: tuple[int, ...] = ()
    """Numbers of the touched frames within their sets, from 0; all if empty."""

    filter_indices: tuple[int, ...] = ()
    """Filters whose frames are touched, by their place in the session; all if empty."""

    def touches(self, shot: Shot) -> bool:
        """Return whether the fault concerns a frame."""
        return (
            (not self.kinds or shot.kind in self.kinds)
            and (not self.numbers or shot.number in self.numbers)
            and (not self.filter_indices or shot.filter_index in self.filter_indices)
        )

    def change_shots(self, shots: Sequence[Shot], place: int) -> tuple[Shot, ...]:
        """Return the frames as this fault, number `place` of the session, makes them."""
        return tuple(
            self.change_shot(shot).model_copy(update={"faults": (*shot.faults, place)})
            if self.touches(shot)
            else shot
            for shot in shots
        )

    def change_shot(self, shot: Shot) -> Shot:
        """Return one touched frame as this fault makes it."""
        return shot

    def change_electrons(self, mean_e: Float32, shot: Shot, random: np.random.Generator) -> None:
        """Change the mean electrons of a touched frame in place."""

    def change_raw(self, raw: Raw, shot: Shot, sensor: Sensor) -> Raw:
        """Return the raw pixels of a touched frame."""
        del shot, sensor
        return raw

    def change_header(self, header: Header) -> Header:
        """Return the header of a touched frame."""
        return header

    def change_file(self, path: Path) -> None:
        """Change the finished file of a touched frame."""

    def change_folder(self, folder: Path, shots: Sequence[Shot], sensor: Sensor) -> None:
        """Change the finished files of all touched frames together."""
