"""Margins: sums and sums of squares by row and column; lag products, or extremes and ends.

Row margins of blocks concatenate, column margins add; non-finite values are excluded from sums and
have a count of their own. Computed by `MarginSums`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..lazy import numpy as np


@dataclass(frozen=True, eq=False)
class Margins:
    """Fields of the rows (m entries each) and columns (n): sum and squares.

    With extremes also min, max, nonfinite, start and end. `start` and `end` are the positions of
    the first and the last non-zero element; inf and -inf in a row or column of zeros.
    """

    rows: Mapping[str, NDArray[np.float64]]
    cols: Mapping[str, NDArray[np.float64]]
    lag: tuple[float, float]  # NaN with extremes; sums of w[i,j] w[i,j+1] and of w[i,j] w[i+1,j]

    def forget(self) -> None:
        """Rows and columns have positions: margins of different tensors are not pooled."""

    def __add__(self, other: Margins) -> Margins:
        raise TypeError("margins of different tensors do not add")
