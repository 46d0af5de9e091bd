"""Tile: the same box of b tensors of one shape on one device, and the buffers of its measures.

Buffers are reused from tile to tile: the page faults of new ones cost more than the arithmetic.
What several measures need (values, patterns) is computed once per tile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite, prod
from typing import TYPE_CHECKING, Any

from ..dtypes import DTYPES, table
from ..geometry import Axis, Box, Shape
from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(eq=False)
class Scratch:
    """Named buffers of one worker for the tiles of one entry; they grow as needed.

    The alignment of a buffer does not depend on earlier measures. Two tiles in use at once need two
    scratches: both compute their values in the buffer `values`.
    """

    device: str = "cpu"
    held: dict[str, Tensor] = field(default_factory=dict)

    def take(self, name: str, shape: tuple[int, ...], dtype: Any) -> Tensor:
        """The buffer of that name as an uninitialised dense tensor."""
        size, buffer = prod(shape), self.held.get(name)
        if buffer is None or buffer.numel() < size or buffer.dtype != dtype:
            buffer = torch.empty(max(size, 1), dtype=dtype, device=self.device)
            self.held[name] = buffer
        return buffer[:size].view(shape)


@dataclass(eq=False)
class Tile:
    """`stored` is (b, rows, columns) in the storage type of `dtype`, row-major or column-major.

    `beside` holds the same box of other entries by label, each with a scratch of its own.
    """

    stored: Tensor
    dtype: str
    box: Box
    shape: Shape
    axis: Axis  # along which the tensor is cut
    scratch: Scratch
    beside: Mapping[str, Tile] = field(default_factory=dict)

    @property
    def stack(self) -> int:
        """Number of tensors."""
        return self.stored.shape[0]

    @cached_property
    def mirrored(self) -> bool:
        """Whether the matrices are column-major, as those of a transposed entry are."""
        _, rows, cols = self.stored.shape
        _, row_stride, col_stride = self.stored.stride()
        # Strides of single rows or columns are arbitrary.
        return min(rows, cols) > 1 and row_stride == 1 and col_stride >= rows

    @cached_property
    def dense(self) -> Tensor:
        """`stored` in memory order, (b, elements); transposed if mirrored, gaps removed."""
        if self.mirrored:
            x = self.stored.mT
        else:
            x = self.stored
        if not x.is_contiguous():
            buffer = self.scratch.take("dense", tuple(x.shape), x.dtype)
            x = buffer.copy_(x)
        return x.reshape(self.stack, -1)

    @cached_property
    def flat(self) -> Tensor:
        """Values in memory order, (b, elements).

        float64 for types of 32 bits and more other than F32, else float32.
        """
        dtype, x = DTYPES[self.dtype], self.dense
        if self.dtype in ("F32", "F64"):
            return x
        if dtype.kind in ("code", "uint", "bool") and dtype.narrow:
            return _looked_up(self)
        wide = torch.float32
        if dtype.bits >= 32:
            wide = torch.float64
        values = self.scratch.take("values", tuple(x.shape), wide).copy_(x)
        if dtype.kind == "uint":
            # Unsigned words are stored as signed ones of the same bits.
            values.add_((values < 0) * 2.0**dtype.bits)
        return values

    @cached_property
    def values(self) -> Tensor:
        """Values as (b, rows, columns), in the layout of `stored`."""
        return self.as_matrices(self.flat)

    def forget(self) -> None:
        """Compute all anew: another tile has used the buffers."""
        for name in ("dense", "flat", "values", "patterns"):
            vars(self).pop(name, None)

    def as_matrices(self, flat: Tensor) -> Tensor:
        """Elements in memory order, (b, elements), as (b, rows, columns)."""
        b, rows, cols = self.stored.shape
        if self.mirrored:
            return flat.view(b, cols, rows).mT
        return flat.view(b, rows, cols)

    def buffer(self, name: str, like: Tensor, dtype: torch.dtype) -> Tensor:
        """A reused buffer of the shape and layout of `like`."""
        if self.mirrored:
            return self.scratch.take(name, tuple(like.mT.shape), dtype).mT
        return self.scratch.take(name, tuple(like.shape), dtype)

    @cached_property
    def patterns(self) -> Tensor:
        """The stored word of each element of a narrow type, 0..65535, as (b, elements) int32."""
        word = torch.uint8
        if DTYPES[self.dtype].bits == 16:
            word = torch.uint16
        words = self.dense.view(word)
        buffer = self.scratch.take("patterns", tuple(words.shape), torch.int32)
        return buffer.copy_(words)


def cleaned(tile: Tile, which: slice) -> tuple[Tensor, list[int]]:
    """Some matrices of a tile in float64, zeros for non-finite elements, and the number of those.

    A CPU should request them one by one, so that each is at the start of the buffer: at another
    alignment BLAS adds in another order.
    """
    values = tile.values[which]
    x = tile.buffer("wide", values, torch.float64).copy_(values)
    sums = x.sum((-2, -1)).tolist()
    nonfinite = []
    for matrix, total in zip(x, sums, strict=True):
        count = 0
        if not isfinite(total):  # a finite sum has finite terms only
            count = int((~matrix.isfinite()).sum())
        if count:
            matrix.nan_to_num_(0.0, 0.0, 0.0)
        nonfinite.append(count)
    return x, nonfinite


def cleaned_stack(tile: Tile) -> tuple[Tensor, Tensor]:
    """The same of all matrices of a tile on a GPU, without a wait: the numbers stay there."""
    values = tile.values
    x = tile.buffer("wide", values, torch.float64).copy_(values)
    nonfinite = (~x.isfinite()).sum((-2, -1))  # (b,)
    return x.nan_to_num_(0.0, 0.0, 0.0), nonfinite


def _looked_up(tile: Tile) -> Tensor:
    """Values of coded types, from their table of at most 65,536 entries."""
    values = tile.scratch.take("values", tuple(tile.dense.shape), torch.float32)
    of_patterns = table(tile.dtype, "float32", tile.scratch.device)
    torch.index_select(of_patterns, 0, tile.patterns.flatten(), out=values.view(-1))
    return values
