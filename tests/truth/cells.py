"""The interval that a stored value represents: halfway to its neighbours in the type."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from .case import Array, Case
from .storing import TYPES


def cells(case: Case) -> tuple[Array, Array, Array]:
    """Low and high edges of the distinct finite values, ascending, and their counts."""
    values, counts = np.unique(case.finite + 0.0, return_counts=True)  # -0 is 0
    if case.dtype in ("F32", "F64"):
        stored = values.astype(np.float32 if case.dtype == "F32" else np.float64)
        below, above = np.nextafter(stored, -np.inf), np.nextafter(stored, np.inf)
        return (values + below) / 2, (values + above) / 2, counts
    grid = _grid(case.dtype)
    at = np.searchsorted(grid, values)
    return (grid[at - 1] + values) / 2, (values + grid[at + 1]) / 2, counts


@cache
def _grid(dtype: str) -> Array:
    """Every finite value of a type of 16 bits or fewer, and one beyond each end."""
    bits = torch.arange(256, dtype=torch.uint8)
    if not dtype.startswith("F8"):
        bits = torch.arange(-(2**15), 2**15, dtype=torch.int16)
    values = bits.view(TYPES[dtype]).to(torch.float64).numpy()
    grid = np.unique(values[np.isfinite(values)])
    return np.concatenate([[2 * grid[0] - grid[1]], grid, [2 * grid[-1] - grid[-2]]])
