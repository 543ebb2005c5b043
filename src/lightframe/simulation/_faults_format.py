"""Faults of how frames are stored: by the camera itself, as floats, with fewer bits, as noise."""

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from pydantic import Field

from lightframe.errors import SettingsError
from lightframe.kernels._constants import FULL_SCALE
from lightframe.simulation._fault import Fault
from lightframe.simulation._sensor import Sensor
from lightframe.simulation._shots import Shot

__all__ = ["CameraRawFile", "CorruptFile", "FewerBits", "FloatFile", "TornReadout"]

Raw = npt.NDArray[np.uint16]


class CameraRawFile(Fault):
    """The camera saved the frames itself, as DNG with the ADC's numbers, and no program as FITS."""

    fault: Literal["camera-raw-file"] = "camera-raw-file"

    def change_shot(self, shot: Shot) -> Shot:
        return shot.model_copy(update={"container": "dng"})

    def change_raw(self, raw: Raw, shot: Shot, sensor: Sensor) -> Raw:
        del shot
        if sensor.pattern is None:
            raise SettingsError(
                f"a monochrome sensor ({sensor.camera}) saves no camera raw files here",
                where="fault camera-raw-file",
                remedy="choose a session with a colour sensor",
            )
        return np.asarray(raw >> np.uint16(sensor.shift), np.uint16)


class FloatFile(Fault):
    """Another program saved the frames as 32-bit floats, as fractions of a full scale."""

    fault: Literal["float-file"] = "float-file"
    full_scale_dn: float = Field(FULL_SCALE, gt=0)
    """The number that becomes 1."""
    missing: float = Field(0.0, ge=0, lt=1)
    """Fraction of pixels that are missing (NaN)."""

    def change_file(self, path: Path) -> None:
        with fits.open(path) as file:
            header, raw = file[0].header.copy(), np.array(file[0].data, np.float64)
        for keyword in ("BZERO", "BSCALE"):
            header.remove(keyword, ignore_missing=True)
        pixels = (raw / self.full_scale_dn).astype(np.float32)
        lost = np.random.default_rng(103).uniform(size=pixels.shape) < self.missing
        pixels[lost] = np.nan
        fits.writeto(path, pixels, header, overwrite=True)


class FewerBits(Fault):
    """The ADC was read out with fewer bits, and filled up to the same full scale."""

    fault: Literal["fewer-bits"] = "fewer-bits"
    bits: int = Field(12, ge=8, le=15)
    """Bits that hold information."""

    def change_raw(self, raw: Raw, shot: Shot, sensor: Sensor) -> Raw:
        del shot
        lost = np.uint16(max(0, sensor.adc_bits - self.bits) + sensor.shift)
        return np.asarray(raw >> lost << lost, np.uint16)


class TornReadout(Fault):
    """The readout was interrupted: from one row on the level is another."""

    fault: Literal["torn-readout"] = "torn-readout"
    place: float = Field(0.8, gt=0, lt=1)
    """The row, as a part of the height."""
    step_dn: int = -60
    """By how much the level changes, in DN of the file."""

    def change_raw(self, raw: Raw, shot: Shot, sensor: Sensor) -> Raw:
        del shot
        torn = raw.astype(np.int64)
        torn[round(self.place * raw.shape[0]) :] += self.step_dn >> sensor.shift << sensor.shift
        return np.asarray(np.clip(torn, 0, sensor.ceiling_dn), np.uint16)


class CorruptFile(Fault):
    """The file has its name and size, but holds something else."""

    fault: Literal["corrupt-file"] = "corrupt-file"

    def change_file(self, path: Path) -> None:
        random = np.random.default_rng(101)
        path.write_bytes(random.bytes(path.stat().st_size))
