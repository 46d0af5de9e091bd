"""Spacing of a stored type at 1: the relative size of its rounding errors."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ...dtypes import DTYPES, decoded
from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDE = {
    "F64": 2.0**-52,
    "F32": 2.0**-23,
}  # too many values to list; narrow types show their own spacing


@cache
def eps_of(dtype: str) -> float:
    """The spacing of a stored type at 1, as numpy.finfo has it; 0 for integers, which round nothing.

    Names as in safetensors; a KeyError for types that are not decoded (F6, complex).

    >>> eps_of("BF16") == 2**-7, eps_of("F8_E4M3") == 2**-3, eps_of("I8")
    (True, True, 0.0)
    """
    if DTYPES[dtype].kind in ("int", "uint", "bool"):
        return 0.0
    return WIDE[dtype] if dtype in WIDE else _above_one(decoded(dtype))


def _above_one(values: NDArray[np.float64]) -> float:
    return float(values[values > 1].min() - 1)
