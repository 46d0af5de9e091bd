"""Values of what entries make, so that views can calculate with several entries.

Types of at most 16 bits and F32 have float32 values, F64 and integers of 32 bits and more float64.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...dtypes import DTYPES, table
from ...lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def common(dtypes: Iterable[str]) -> str:
    """The type of sums and differences: F64 where one has values that float32 cannot hold.

    >>> common(["BF16", "F32"]), common(["F16", "I32"])
    ('F32', 'F64')
    """
    if all(dtype == "F32" or DTYPES[dtype].narrow for dtype in dtypes):
        return "F32"
    return "F64"


def values(made: Tensor, dtype: str, to: str) -> Tensor:
    """The values of a matrix of storage words in type `to`, in its layout.

    The matrix itself where it has that type already.
    """
    kind = DTYPES[dtype].kind
    if kind in ("code", "bool"):
        return _looked_up(made, dtype, DTYPES[to].store)
    numbers = made.to(getattr(torch, DTYPES[to].store))
    if kind == "uint" and DTYPES[dtype].bits > 8:
        # unsigned words are stored as signed ones of the same bits
        numbers.add_((numbers < 0) * 2.0 ** DTYPES[dtype].bits)
    return numbers


def is_mirrored(matrix: Tensor) -> bool:
    """Whether a matrix is column-major; strides of single rows and columns are arbitrary."""
    row_step, column_step = matrix.stride()
    return min(matrix.shape) > 1 and row_step < column_step


def laid_out(matrix: Tensor, like: Tensor) -> Tensor:
    """The matrix in the layout of another one, row-major or column-major: a copy if it differs."""
    if is_mirrored(matrix) == is_mirrored(like):
        return matrix
    if is_mirrored(like):
        return matrix.mT.contiguous().mT
    return matrix.contiguous()


def _looked_up(codes: Tensor, dtype: str, store: str) -> Tensor:
    """Values of coded types from their table, looked up in memory order."""
    of_patterns = table(dtype, store, str(codes.device))
    mirrored = is_mirrored(codes)
    if mirrored:
        codes = codes.mT
    looked_up = of_patterns.index_select(0, codes.reshape(-1).int()).view(codes.shape)
    if mirrored:
        return looked_up.mT
    return looked_up
