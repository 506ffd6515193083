"""Types of NumPy arrays, named by what they hold."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
IndexArray = NDArray[np.intp]
NumberArray = NDArray[np.generic]
CountArray = NDArray[np.float32]
"""Counts of a detector."""
