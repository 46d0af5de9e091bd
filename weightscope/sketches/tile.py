"""Tile: the same box of b equal-shape tensors on one device, and the buffers that its measures work in.

Buffers are reused from tile to tile: fresh ones cost more in page faults than the arithmetic done in them. Whatever
several measures look at (values, patterns) is made once per tile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

from ..dtypes import DTYPES, decoded
from ..geometry import Axis, Box, Shape
from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(eq=False)
class Scratch:
    """Named buffers of one worker for the tiles of one entry, grown as needed.

    Alignment never depends on what was measured before. Two tiles that live at once need two: each makes its values in
    the buffer of that name.
    """

    device: str = "cpu"
    held: dict[str, Tensor] = field(default_factory=dict)

    def take(self, name: str, shape: tuple[int, ...], dtype: Any) -> Tensor:
        """The buffer of that name as an uninitialised dense tensor."""
        size, found = prod(shape), self.held.get(name)
        if found is None or found.numel() < size or found.dtype != dtype:
            found = self.held[name] = torch.empty(max(size, 1), dtype=dtype, device=self.device)
        return found[:size].view(shape)


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
        """How many tensors."""
        return self.stored.shape[0]

    @cached_property
    def mirrored(self) -> bool:
        """Column-major, as a transposed entry comes."""
        rows, across = self.stored.shape[1], self.stored.stride(-1)
        return min(self.stored.shape[1:]) > 1 and self.stored.stride(-2) == 1 and across >= rows

    @cached_property
    def dense(self) -> Tensor:
        """`stored` in memory order, (b, elements): transposed where mirrored, copied where it has gaps."""
        x = self.stored.mT if self.mirrored else self.stored
        if not x.is_contiguous():
            x = self.scratch.take("dense", tuple(x.shape), x.dtype).copy_(x)
        return x.reshape(self.stack, -1)

    @cached_property
    def flat(self) -> Tensor:
        """Values in memory order, (b, elements): float64 for types of 32 bits and more but F32, else float32."""
        kind, x = DTYPES[self.dtype], self.dense
        if self.dtype in ("F32", "F64"):
            return x
        if kind.kind in ("code", "uint", "bool") and kind.narrow:
            return _looked_up(self)
        wide = torch.float64 if kind.bits >= 32 else torch.float32
        made = self.scratch.take("values", tuple(x.shape), wide).copy_(x)
        return made.add_((made < 0) * 2.0**kind.bits) if kind.kind == "uint" else made

    @cached_property
    def values(self) -> Tensor:
        """Values as (b, rows, columns), in the layout of `stored`."""
        b, r, n = self.stored.shape
        return self.flat.view(b, n, r).mT if self.mirrored else self.flat.view(b, r, n)

    def buffer(self, name: str, like: Tensor, dtype: torch.dtype) -> Tensor:
        """A reused buffer of the shape and layout of `like`."""
        size = tuple(like.shape)
        if self.mirrored:
            return self.scratch.take(name, size[:-2] + size[:-3:-1], dtype).mT
        return self.scratch.take(name, size, dtype)

    @cached_property
    def patterns(self) -> Tensor:
        """The stored word of each element of a narrow type, 0..65535, as (b, elements) int32."""
        x = self.dense
        out = self.scratch.take("patterns", tuple(x.shape), torch.int32)
        return out.copy_(x.view(torch.uint16 if DTYPES[self.dtype].bits == 16 else torch.uint8))


def cleaned(tile: Tile, here: slice) -> tuple[Tensor, list[int]]:
    """Some matrices of a tile in float64 with zeros for non-finite elements, and how many those were.

    Where a sum is finite, there are none. A CPU is given them one by one, each at the start of the buffer: BLAS adds
    otherwise at another alignment.
    """
    values = tile.values[here]
    x = tile.buffer("wide", values, torch.float64).copy_(values)
    sums = x.sum((-2, -1)).tolist()
    bad = [
        0 if abs(total) < float("inf") else int((~w.isfinite()).sum())
        for w, total in zip(x, sums, strict=True)
    ]
    for i in (i for i, many in enumerate(bad) if many):
        x[i].nan_to_num_(0.0, 0.0, 0.0)
    return x, bad


def _looked_up(tile: Tile) -> Tensor:
    """Values of coded types through their table of at most 65,536 entries."""
    table = torch.from_numpy(decoded(tile.dtype).astype("float32")).to(tile.stored.device)
    out = tile.scratch.take("values", tuple(tile.dense.shape), torch.float32)
    return torch.index_select(table, 0, tile.patterns.flatten(), out=out.view(-1)).view_as(
        tile.dense
    )
