"""Made: one entry whose values are already on the device, for measures that look more than once.

What stands alone is held as values, not as stored bytes: a product, a part of several runs or a type that is converted
would be made again in every pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..checkpoints import Entry, Span
from ..geometry import Axis, Box, Shape, tiles, whole
from ..lazy import torch
from .reading import Check, load

if TYPE_CHECKING:
    from torch import Tensor

    from ..sketches.tile import Scratch


@dataclass(frozen=True, eq=False)
class Made:
    """The same matrix as the entry that it is made of, needing nothing more."""

    name: str
    shape: Shape
    dtype: str
    cut: Axis
    values: Tensor

    def needs(self, box: Box) -> tuple[Span, ...]:
        """Nothing: it is all there."""
        return ()

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """A view."""
        return self.values[slice(*box.rows), slice(*box.cols)]


def made(entry: Entry, scratch: Scratch, check: Check) -> Made:
    """Reads an entry tile by tile into memory of its own, in the layout that it streams in."""
    values: Tensor | None = None
    for box in tiles(whole(entry.shape), entry.cut):
        spans = entry.needs(box)
        read = load(spans, scratch, 0)
        check(sum(s.bytes[1] for s in spans))
        tile = entry.make(box, tuple(read[s] for s in spans))
        if values is None:
            mirrored = entry.cut == 1 and entry.shape[0] > 1
            values = torch.empty(
                entry.shape[::-1] if mirrored else entry.shape, dtype=tile.dtype, device=tile.device
            )
            values = values.mT if mirrored else values
        values[slice(*box.rows), slice(*box.cols)] = tile
    assert values is not None
    return Made(entry.name, entry.shape, entry.dtype, entry.cut, values)
