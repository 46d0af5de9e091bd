"""The same elements of several entries as rows of one float64 matrix, chunk by chunk.

Chunks fit the last cache of a CPU. Each is copied to the start of its buffer, so that a matrix
gives the same numbers in a stack and alone: at another alignment BLAS adds in another order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..lazy import torch
from .beside import numbers
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 1 << 18  # elements of all rows: 2 MB in float64
CHUNK_GPU = 1 << 24  # at two rows and more, counts by float32 products stay below 2^24: exact
ALIGNED = 16  # elements: rows begin at a line of the cache


def elements_of_chunk(rows: int, device: str) -> int:
    """Elements in each row of a chunk, at most 2^23.

    >>> elements_of_chunk(3, "cpu")
    87376
    """
    return max(_of_all_rows(device) // max(rows, 2) // ALIGNED, 1) * ALIGNED


def buffer_bytes(rows: int, elements: int, device: str) -> int:
    """Bytes of a chunk in float64, and of one in float32 beside it."""
    return 12 * min(_of_all_rows(device), rows * elements)


def _of_all_rows(device: str) -> int:
    """Elements of a chunk."""
    if device == "cpu":
        return CHUNK
    return CHUNK_GPU


def rows_of(tile: Tile, others: Sequence[str]) -> list[Tensor]:
    """Numbers of the tile and of those beside it, (b, elements) each, in one memory order."""
    tiles = [tile, *(tile.beside[label] for label in others)]
    return [numbers(tile, one) for one in tiles]


def chunks(tile: Tile, rows: Sequence[Tensor]) -> Iterator[tuple[int, Tensor]]:
    """The number of a matrix of the stack and (rows, elements) in float64, which may be altered."""
    size = elements_of_chunk(len(rows), tile.scratch.device)
    count = rows[0].shape[1]
    for i in range(tile.stack):
        for first in range(0, count, size):
            last = min(first + size, count)
            x = tile.scratch.take("chunk", (len(rows), last - first), torch.float64)
            for row, values in zip(x, rows, strict=True):
                row.copy_(values[i, first:last])
            yield i, x
