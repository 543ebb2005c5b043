"""Types of arrays by their elements, under the names of signatures; docstrings tell the shapes."""

import numpy as np
import numpy.typing as npt

__all__ = ["Bool", "Float32", "Float64", "Int32", "Int64", "UInt8", "UInt16"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]
UInt16 = npt.NDArray[np.uint16]
Bool = npt.NDArray[np.bool_]
