"""Arrays: names for their types by the elements, and images as planes."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["Bool", "Float32", "Float64", "Int32", "Int64", "UInt8", "UInt16", "as_planes"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]
UInt16 = npt.NDArray[np.uint16]
Bool = npt.NDArray[np.bool_]

_Scalar = TypeVar("_Scalar", bound=np.generic)


def as_planes(image: npt.NDArray[_Scalar]) -> npt.NDArray[_Scalar]:
    """Return an image, (rows, columns) or (channels, rows, columns), as the latter; a view."""
    return image[None] if image.ndim == 2 else image  # noqa: PLR2004 - rows, columns
