"""Made: one entry whose values are on the device, for measures that need several passes.

A unit of one entry is held as values, not as stored bytes: a product, a part of several runs or a
converted type would otherwise be computed again in every pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..checkpoints import Entry, Span
from ..geometry import Axis, Box, Shape, tiles, whole
from ..lazy import torch
from ..sending import sent
from .loading import Check, load, load_fixed
from .spans import fixed

if TYPE_CHECKING:
    from torch import Tensor

    from .buffers import Buffers


@dataclass(frozen=True, eq=False)
class Made:
    """The same matrix as its entry, without anything to read."""

    name: str
    shape: Shape
    dtype: str
    cut: Axis
    values: Tensor

    def needs(self, box: Box) -> tuple[Span, ...]:
        """Nothing: the values are in memory."""
        return ()

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """A view."""
        rows, cols = slice(*box.rows), slice(*box.cols)
        return self.values[rows, cols]


def made(entry: Entry, buffers: Buffers, check: Check, size: int) -> Made:
    """Reads an entry into newly allocated memory, in the layout of its tiles of `size` elements."""
    values: Tensor | None = None
    boxes = tiles(whole(entry.shape), entry.cut, size)
    shared = load_fixed(fixed((entry,), boxes), buffers)
    check(sum(span.bytes[1] for span in shared))
    for number, box in enumerate(boxes):
        spans = entry.needs(box)
        own = [span for span in spans if span not in shared]
        loaded = shared | load(own, buffers, buffers.slot(number))
        check(sum(span.bytes[1] for span in own))
        tile = entry.make(box, tuple(loaded[span] for span in spans))
        tile = sent(tile, buffers.device)  # a random matrix is sampled on the host
        if values is None:  # the type of the values is known with the first tile
            values = _empty(entry, tile)
        values[slice(*box.rows), slice(*box.cols)] = tile
    assert values is not None
    return Made(entry.name, entry.shape, entry.dtype, entry.cut, values)


def _empty(entry: Entry, tile: Tensor) -> Tensor:
    """Uninitialised memory for all values: column-major where the tiles are cut along columns."""
    rows, columns = entry.shape
    if entry.cut == 1 and rows > 1:
        return torch.empty((columns, rows), dtype=tile.dtype, device=tile.device).mT
    return torch.empty((rows, columns), dtype=tile.dtype, device=tile.device)
