"""The value grid of a narrow type: its finite values, their cells, and the cell of each pattern."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ..dtypes import decoded
from ..lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Smallest normal number of the types that have subnormals.
NORMAL = {
    "F64": 2.0**-1022,
    "F32": 2.0**-126,
    "BF16": 2.0**-126,
    "F16": 2.0**-14,
    "F8_E4M3": 2.0**-6,
    "F8_E5M2": 2.0**-14,
    "F8_E4M3FNUZ": 2.0**-7,
    "F8_E5M2FNUZ": 2.0**-15,
    "F4": 1.0,
}


@dataclass(frozen=True, eq=False)
class Grid:
    """`value`, `low`, `high` ascending; `rank[pattern]` is its cell, -1 if not finite."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    rank: NDArray[np.int64]
    nan: NDArray[np.bool_]  # by pattern
    inf: NDArray[np.bool_]
    minus_inf: NDArray[np.bool_]
    subnormal: NDArray[np.bool_]  # by cell


@cache
def grid(dtype: str) -> Grid:
    """The grid of a narrow type: edges halfway between neighbours, symmetric outermost cells.

    >>> g = grid("F4"); [float(x) for x in g.value[7:11]], [float(x) for x in g.low[7:11]]
    ([0.0, 0.5, 1.0, 1.5], [-0.25, 0.25, 0.75, 1.25])
    """
    table = decoded(dtype)
    finite = np.isfinite(table)
    value = np.unique(table[finite] + 0.0)  # + 0.0: -0 becomes 0
    middle = (value[1:] + value[:-1]) / 2
    lowest, highest = 2 * value[0] - middle[0], 2 * value[-1] - middle[-1]
    low = np.concatenate(([lowest], middle))
    high = np.concatenate((middle, [highest]))
    cell = np.searchsorted(value, np.where(finite, table, 0.0))
    rank = np.where(finite, cell, -1)
    subnormal = (value != 0) & (np.abs(value) < NORMAL.get(dtype, 0.0))
    return Grid(
        value,
        low,
        high,
        rank,
        nan=np.isnan(table),
        inf=np.isinf(table),
        minus_inf=np.isneginf(table),
        subnormal=subnormal,
    )
