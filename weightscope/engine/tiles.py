"""The same box of every entry of a batch, made when the first measure looks at it.

A measure sees the tile of its own label and those beside it. The tile of a label that no other
label sees is needed only while its own measures look, one after the other: such tiles share one
buffer, which stays in the cache, so a unit of many differences takes no more memory than one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ..checkpoints import Span
from ..checkpoints.views import Difference
from ..geometry import Axis, Box
from ..lazy import torch
from ..sending import sent
from ..sketches.tile import Scratch, Tile
from .buffers import Buffers
from .plan import Batch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(eq=False)
class Tiles:
    """Tiles of one box; measures have to ask label by label."""

    batch: Batch
    axis: Axis
    box: Box
    loaded: Mapping[Span, Tensor]
    buffers: Buffers
    made: dict[str, Tile] = field(default_factory=dict)

    def of(self, label: str) -> Tile:
        """The tile of a label, with those that its measures see beside it."""
        tile = self._tile(label)
        if not tile.beside:
            others = self.batch.units[0].beside.get(label, ())
            tile.beside = {other: self._tile(other) for other in others}
        return tile

    def close(self) -> None:
        """Tiles that refer to each other would outlive the held tensors."""
        for tile in self.made.values():
            tile.beside = {}

    def _tile(self, label: str) -> Tile:
        if label in self.made:
            return self.made[label]
        unit = self.batch.units[0]
        scratch = self.buffers.of(unit.buffer_of(label))
        if label not in unit.seen_beside:
            # the last tile in this buffer is done with
            for other in self.made.keys() - unit.seen_beside:
                self.made.pop(other).beside = {}
        values = _stacked(self.batch, label, self.box, self.loaded, scratch)
        dtype = unit.entries[label].dtype
        tile = Tile(values, dtype, self.box, self.batch.shape, self.axis, scratch)
        self.made[label] = tile
        return tile


def _stacked(
    batch: Batch, label: str, box: Box, loaded: Mapping[Span, Tensor], scratch: Scratch
) -> Tensor:
    """(b, rows, columns): a view or a buffer for one unit, a copy for several."""
    entries = [unit.entries[label] for unit in batch.units]
    if len(entries) == 1:
        entry = entries[0]
        stored = tuple(loaded[span] for span in entry.needs(box))
        if isinstance(entry, Difference):
            return entry.make_into(box, stored, partial(scratch.take, "difference"))[None]
        return sent(entry.make(box, stored), scratch.device)[None]
    matrices = []
    for entry in entries:
        stored = tuple(loaded[span] for span in entry.needs(box))
        matrices.append(entry.make(box, stored))
    # a random matrix is sampled on the host
    if entries[0].cut:  # column-major matrices stay column-major
        return sent(torch.stack([matrix.mT for matrix in matrices]).mT, scratch.device)
    return sent(torch.stack(matrices), scratch.device)
