"""Spacing of a stored type at 1: the relative size of its rounding errors."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ...dtypes import DTYPES, decoded
from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Types with too many values to list; of narrow types the list itself has the spacing.
WIDE = {
    "F64": 2.0**-52,
    "F32": 2.0**-23,
}


@cache
def eps_of(dtype: str) -> float:
    """The spacing of a stored type at 1, as in numpy.finfo; 0 for integers, which round nothing.

    Names as in safetensors; a KeyError for types that are not decoded (F6, complex).

    >>> eps_of("BF16") == 2**-7, eps_of("F8_E4M3") == 2**-3, eps_of("I8")
    (True, True, 0.0)
    """
    if DTYPES[dtype].kind in ("int", "uint", "bool"):
        return 0.0
    if dtype in WIDE:
        return WIDE[dtype]
    return _spacing_at_one(decoded(dtype))


def _spacing_at_one(values: NDArray[np.float64]) -> float:
    above_one = values[values > 1]
    return float(above_one.min() - 1)
