"""Faults of drivers and files: pixels, headers or files are not what the camera measured."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy.ndimage import maximum_filter

from lightframe.frames import Card, FrameKind, Header
from lightframe.simulation._fault import Fault
from lightframe.simulation._sensor import Sensor
from lightframe.simulation._shots import Shot

__all__ = [
    "AlreadyCalibrated",
    "BiasDrift",
    "Binned",
    "BzeroLost",
    "Cropped",
    "Duplicate",
    "Flipped",
    "HeaderValue",
    "HotPixelFilter",
    "Mislabelled",
    "TruncatedFile",
    "Unshifted",
    "WhiteBalance",
]

Raw = npt.NDArray[np.uint16]


class Mislabelled(Fault):
    """The frame type in the header, and the folder, are wrong."""

    fault: Literal["mislabelled"] = "mislabelled"
    claimed: FrameKind
    """What the frame is said to be."""

    def change_shot(self, shot: Shot) -> Shot:
        return shot.model_copy(
            update={"claim": shot.claim.model_copy(update={"kind": self.claimed})}
        )


class HeaderValue(Fault):
    """A keyword is missing, or has a wrong value."""

    fault: Literal["header-value"] = "header-value"
    keyword: str
    """The keyword."""
    value: str | int | float | bool | None = None
    """What it says; absent to leave the keyword out."""

    def change_header(self, header: Header) -> Header:
        if self.value is None:
            return header.without(self.keyword)
        return header.replacing(Card(self.keyword, self.value))


class BiasDrift(Fault):
    """The bias level, and a gradient in it, vary from frame to frame."""

    fault: Literal["bias-drift"] = "bias-drift"
    kinds: tuple[FrameKind, ...] = (FrameKind.BIAS,)
    level_dn: float = Field(30.0, ge=0)
    """Scatter of the level in DN of the file (rms)."""
    gradient_dn: float = Field(20.0, ge=0)
    """Scatter of a gradient from the first row to the last (rms)."""

    def change_raw(self, raw: Raw, shot: Shot, sensor: Sensor) -> Raw:
        random = np.random.default_rng([shot.number, 71])
        level = random.normal(0.0, self.level_dn)
        gradient = random.normal(0.0, self.gradient_dn)
        rows = level + gradient * np.linspace(-0.5, 0.5, raw.shape[0])[:, np.newaxis]
        steps = np.rint(rows / (1 << sensor.shift)).astype(np.int64) << sensor.shift
        return np.clip(raw + steps, 0, sensor.ceiling_dn).astype(np.uint16)


class Unshifted(Fault):
    """Another driver stores the ADC's numbers as they are, without shifting them to 16 bits."""

    fault: Literal["unshifted"] = "unshifted"

    def change_raw(self, raw: Raw, shot: Shot, sensor: Sensor) -> Raw:
        del shot
        return np.asarray(raw >> np.uint16(sensor.shift), np.uint16)


class WhiteBalance(Fault):
    """The driver multiplies the colours of raw frames, as with ZWO's WB_R 52 and WB_B 95."""

    fault: Literal["white-balance"] = "white-balance"
    factors: tuple[float, float, float] = (1.04, 1.0, 1.9)
    """Factors of red, green and blue."""

    def change_raw(self, raw: Raw, shot: Shot, sensor: Sensor) -> Raw:
        del shot
        if sensor.pattern is None:
            return raw
        cell = np.array(self.factors)[sensor.pattern.planes()]
        period = sensor.pattern.period
        height, width = raw.shape
        factors = cell[np.arange(height)[:, np.newaxis] % period, np.arange(width) % period]
        scaled = np.minimum(np.floor(raw * factors), sensor.ceiling_dn)
        return np.asarray(scaled, np.uint16)


class Flipped(Fault):
    """Rows are stored in the opposite order, and the header does not say so."""

    fault: Literal["flipped"] = "flipped"

    def change_raw(self, raw: Raw, shot: Shot, sensor: Sensor) -> Raw:
        del shot, sensor
        return np.ascontiguousarray(raw[::-1])


class Cropped(Fault):
    """The frame lacks some rows and columns at its end."""

    fault: Literal["cropped"] = "cropped"
    rows: int = Field(2, ge=0)
    """Rows that are missing."""
    columns: int = Field(2, ge=0)
    """Columns that are missing."""

    def change_raw(self, raw: Raw, shot: Shot, sensor: Sensor) -> Raw:
        del shot, sensor
        kept = raw[: raw.shape[0] - self.rows, : raw.shape[1] - self.columns]
        return np.ascontiguousarray(kept)


class Binned(Fault):
    """The frame was taken with binned pixels, by default 2 x 2."""

    fault: Literal["binned"] = "binned"
    factor: int = Field(2, ge=2)
    """Rows, and columns, that make one."""
    how: Literal["charge", "sum", "mean"] = "charge"
    """What is put together: electrons, so that there is one bias level, or the numbers of the ADC,
    by their sum or by their mean."""
    honest: bool = True
    """Whether the header says so."""

    def change_raw(self, raw: Raw, shot: Shot, sensor: Sensor) -> Raw:
        n = self.factor
        height, width = raw.shape[0] // n, raw.shape[1] // n
        cells = raw[: n * height, : n * width].reshape(height, n, width, n)
        total = cells.sum(axis=(1, 3), dtype=np.int64)
        if self.how == "charge":
            total -= (n * n - 1) * round(sensor.bias_level_dn(shot.offset))
        elif self.how == "mean":
            total //= n * n
        return np.asarray(np.clip(total, 0, sensor.ceiling_dn), np.uint16)

    def change_header(self, header: Header) -> Header:
        if not self.honest:
            return header
        binned: dict[str, int | float] = {"XBINNING": self.factor, "YBINNING": self.factor}
        for keyword in ("XPIXSZ", "YPIXSZ"):
            size = header.get(keyword)
            if isinstance(size, float):
                binned[keyword] = self.factor * size
        return header.replacing(*(Card(keyword, value) for keyword, value in binned.items()))


class AlreadyCalibrated(Fault):
    """The bias level has been subtracted already, and negative values were cut off."""

    fault: Literal["already-calibrated"] = "already-calibrated"
    pedestal_dn: int = Field(0, ge=0)
    """What was added so that fewer values are negative, in DN of the file."""
    honest: bool = False
    """Whether the header says so, by CALSTAT and PEDESTAL."""

    def change_raw(self, raw: Raw, shot: Shot, sensor: Sensor) -> Raw:
        level = round(sensor.bias_level_dn(shot.offset)) - self.pedestal_dn
        return np.maximum(raw.astype(np.int32) - level, 0).astype(np.uint16)

    def change_header(self, header: Header) -> Header:
        if not self.honest:
            return header
        return header.replacing(Card("CALSTAT", "BD"), Card("PEDESTAL", self.pedestal_dn))


class HotPixelFilter(Fault):
    """The camera caps each pixel at the highest of its neighbours of the same colour."""

    fault: Literal["hot-pixel-filter"] = "hot-pixel-filter"

    def change_raw(self, raw: Raw, shot: Shot, sensor: Sensor) -> Raw:
        del shot
        step = 1 if sensor.pattern is None else sensor.pattern.period
        footprint = np.zeros((2 * step + 1, 2 * step + 1), bool)
        footprint[::step, ::step] = True
        footprint[step, step] = False
        highest = maximum_filter(raw, footprint=footprint, mode="mirror")
        return np.asarray(np.minimum(raw, highest), np.uint16)


class Duplicate(Fault):
    """The touched frames are there twice, the second time under the next free number."""

    fault: Literal["duplicate"] = "duplicate"

    def change_shots(self, shots: Sequence[Shot], place: int) -> tuple[Shot, ...]:
        result = list(shots)
        for shot in shots:
            if not self.touches(shot):
                continue
            group = [
                other.number
                for other in result
                if (other.kind, other.filter_index) == (shot.kind, shot.filter_index)
            ]
            copy = {
                "number": max(group) + 1,
                "copy_of": shot.number,
                "faults": (*shot.faults, place),
            }
            result.append(shot.model_copy(update=copy))
        return tuple(result)


class TruncatedFile(Fault):
    """The file ends before its pixels do."""

    fault: Literal["truncated-file"] = "truncated-file"
    fraction: float = Field(0.6, gt=0, lt=1)
    """Fraction of the file that is there."""

    def change_file(self, path: Path) -> None:
        with path.open("r+b") as file:
            file.truncate(int(path.stat().st_size * self.fraction))


class BzeroLost(Fault):
    """The keyword BZERO is lost: unsigned numbers read as signed ones, 32768 too low."""

    fault: Literal["bzero-lost"] = "bzero-lost"

    def change_file(self, path: Path) -> None:
        with path.open("r+b") as file:
            block = file.read(2880)
            place = block.index(b"BZERO   =")
            file.seek(place)
            file.write(b"COMMENT".ljust(80))
