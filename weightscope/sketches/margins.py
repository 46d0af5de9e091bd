"""Margins: per row and column the sum and sum of squares, on request extremes and ends; and both lag products.

Row margins of blocks concatenate, column margins add; non-finite values count apart and enter no sum. Taken by `Lines`.
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
    """`rows[field]` has m entries, `cols[field]` n: sum, squares; with extremes also min, max, nonfinite, start, end.

    `start` and `end` are where the first and the last element stand that is not zero; inf and -inf in a line of zeros.
    """

    rows: Mapping[str, NDArray[np.float64]]
    cols: Mapping[str, NDArray[np.float64]]
    lag: tuple[float, float]  # NaN with extremes; sums of w[i,j] w[i,j+1] and of w[i,j] w[i+1,j]

    def forget(self) -> None:
        """Lines have positions: margins of different tensors are not pooled."""

    def __add__(self, other: Margins) -> Margins:
        raise TypeError("margins of different tensors do not add")
