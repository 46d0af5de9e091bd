"""The tile of another entry, in the memory order of this one: for measures of two entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dtypes import DTYPES
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor


def stored_alike(tile: Tile, other: Tile) -> Tensor:
    """The stored elements of `other`, (b, elements), in the memory order of `tile`."""
    if tile.mirrored == other.mirrored:
        return other.dense
    return _reordered(tile, other, other.stored)


def numbers(tile: Tile, other: Tile) -> Tensor:
    """Values of `other`, (b, elements), in the memory order of `tile`, in any numeric type.

    Stored elements where torch converts them to float64 correctly: no copy is made.
    """
    dtype = DTYPES[other.dtype]
    if dtype.negatable and dtype.kind != "uint":
        return stored_alike(tile, other)
    if tile.mirrored == other.mirrored:
        return other.flat
    return _reordered(tile, other, other.values)


def _reordered(tile: Tile, other: Tile, matrices: Tensor) -> Tensor:
    """(b, rows, columns) of `other` as (b, elements) in the memory order of `tile`, a copy."""
    x = matrices.mT if tile.mirrored else matrices
    buffer = other.scratch.take("reordered", tuple(x.shape), x.dtype)
    return buffer.copy_(x).view(other.stack, -1)
