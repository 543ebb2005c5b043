"""Faults of whole sets: frames that were never taken, or that another program has integrated."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from astropy.io import fits

from lightframe.frames import FrameKind
from lightframe.simulation._fault import Fault
from lightframe.simulation._sensor import Sensor
from lightframe.simulation._shots import Shot

__all__ = ["ChangedGlow", "GivenMaster", "Missing"]

MASTER_FOLDER = "masters"


class Missing(Fault):
    """The frames were not taken, or are not there."""

    fault: Literal["missing"] = "missing"

    def change_shots(self, shots: Sequence[Shot], place: int) -> tuple[Shot, ...]:
        del place
        return tuple(shot for shot in shots if not self.touches(shot))


class ChangedGlow(Fault):
    """The amplifier glows by another amount at the same exposure: another readout or USB speed."""

    fault: Literal["changed-glow"] = "changed-glow"
    kinds: tuple[FrameKind, ...] = (FrameKind.DARK,)
    factor: float = 0.5
    """Factor on the glow."""

    def change_shot(self, shot: Shot) -> Shot:
        return shot.model_copy(update={"glow_factor": shot.glow_factor * self.factor})


class GivenMaster(Fault):
    """Another program has integrated the frames: one master stands in the place of each set."""

    fault: Literal["given-master"] = "given-master"
    kinds: tuple[FrameKind, ...] = (FrameKind.DARK,)
    bias_subtracted: bool = False
    """Whether it has subtracted the bias level."""
    negatives_cut: bool = False
    """Whether it has set negative values to zero."""
    factor: float = 1.0
    """What it has multiplied the numbers with: 1/65535 to have them between 0 and 1."""
    honest: bool = False
    """Whether the header tells of the bias, by CALSTAT."""

    def change_folder(self, folder: Path, shots: Sequence[Shot], sensor: Sensor) -> None:
        sets: dict[tuple[FrameKind, int], list[Shot]] = defaultdict(list)
        for shot in shots:
            sets[shot.claim.kind, shot.filter_index].append(shot)
        for members in sets.values():
            self._integrate(folder, members, sensor)

    def _integrate(self, folder: Path, shots: Sequence[Shot], sensor: Sensor) -> None:
        paths = [folder / shot.path for shot in shots]
        total = np.sum([fits.getdata(path).astype(np.float64) for path in paths], axis=0)
        mean = total / len(paths)
        if self.bias_subtracted:
            mean -= sensor.bias_level_dn(shots[0].offset)
        if self.negatives_cut:
            mean = np.maximum(mean, 0.0)
        header = fits.getheader(paths[0])
        for keyword in ("BZERO", "BSCALE"):
            header.remove(keyword, ignore_missing=True)
        claim = shots[0].claim
        header["IMAGETYP"] = f"Master {claim.kind.value.capitalize()}"
        if self.honest and self.bias_subtracted:
            header["CALSTAT"] = "B"
        name = "_".join(["master", claim.kind.value, *([claim.filter] if claim.filter else [])])
        (folder / MASTER_FOLDER).mkdir(exist_ok=True)
        pixels = (self.factor * mean).astype(np.float32)
        fits.writeto(folder / MASTER_FOLDER / f"{name}.fits", pixels, header)
        for path in paths:
            path.unlink()
