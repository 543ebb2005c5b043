"""Statistics of files."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lightframe.frames import FrameInfo, read_image
from lightframe.kernels._constants import FULL_SCALE
from lightframe.processes import PlaneStatistics, image_statistics
from lightframe.session._batch import Batch
from lightframe.session._json_values import plain
from lightframe.session._steps import Bench, each_file

__all__ = ["FileStatistics", "stats_files"]

_WHITE_OF_BYTES_DN = 255.0


@dataclass(frozen=True, slots=True)
class FileStatistics:
    """Statistics of one file.

    Attributes
    ----------
    info : FrameInfo
        What its header says.
    white_dn : float
        Upper end of its scale.
    planes : tuple of PlaneStatistics
        One for each channel, or colour of a mosaic.
    """

    info: FrameInfo
    white_dn: float
    planes: tuple[PlaneStatistics, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "path": str(self.info.path),
            "height": self.info.height,
            "width": self.info.width,
            "cfa": None if self.info.cfa is None else self.info.cfa.name,
            "white_dn": self.white_dn,
            "planes": [
                plain(asdict(plane) | {"count_fraction": plane.count_fraction})
                for plane in self.planes
            ],
        }


def stats_files(
    paths: Sequence[Path], bench: Bench, *, within_scale: bool = False
) -> Batch[FileStatistics]:
    """Measure files: level, spread, noise, and how much lies at the ends of the scale.

    Parameters
    ----------
    paths : sequence of Path
        Any images.
    bench : Bench
        Progress and threads.
    within_scale : bool
        Leave out what lies at the ends of the scale, see `image_statistics`.
    """

    def work(path: Path) -> FileStatistics:
        info, pixels = read_image(path)
        white = _white_dn(info)
        planes = image_statistics(pixels, info.cfa, white_dn=white, within_scale=within_scale)
        return FileStatistics(info, white, planes)

    return each_file("Measuring", paths, work, bench)


def _white_dn(info: FrameInfo) -> float:
    """Return the upper end of a file's scale in DN."""
    if info.format == "raw" and info.saturation_dn is not None:
        return info.saturation_dn
    return _WHITE_OF_BYTES_DN if info.sample_format == "uint8" else FULL_SCALE
