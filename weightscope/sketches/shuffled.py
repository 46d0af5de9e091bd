"""Shuffled(of): the measure `of` on randomly permuted elements.

A null model with exactly the distribution of the elements and no structure. The permutation runs on
the host, in place on one copy of the stored elements, so that it is the same on every device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ..geometry import Shape, tile_size
from ..lazy import numpy as np
from ..lazy import torch
from ..sending import sent
from .sketch import Again, Cut, Measure, Passes, State, bytes_of, tiling
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Shuffled:
    """`of` on permuted elements; all matrices of one shape have the same permutation."""

    of: Measure
    seed: int = 0
    cut: ClassVar[Cut] = "whole"
    passes: ClassVar[Passes] = "more"

    def bytes(self, shape: Shape) -> int:
        """The permuted copy, at most 8 bytes per element, and the state of the wrapped measure."""
        return self.bytes_on(shape, "cpu")

    def bytes_on(self, shape: Shape, device: str) -> int:
        """The same of a device, as the wrapped measure has it; for a GPU also in pinned memory."""
        elements = shape[0] * shape[1]
        copies = 1 if device == "cpu" else 2
        return 8 * copies * elements + bytes_of(self.of, shape, device)

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """No permuted elements."""
        return {"shuffled": None, "of": self.of.start(stack, shape, dtype, device)}

    def add(self, state: State, tile: Tile) -> State:
        """Permutes the whole matrix once, and passes it on tile by tile."""
        x, inner = state["shuffled"], state["of"]
        if x is None:
            x = permuted(tile.stored, self.seed)
        size = tile_size(tile.scratch.device)
        axis, boxes = tiling(self.of.cut, tile.box, 0, size)
        for box in boxes:
            stored = x[:, slice(*box.rows), slice(*box.cols)]
            part = Tile(stored, tile.dtype, box, tile.shape, axis, tile.scratch)
            inner = self.of.add(inner, part)
        tile.forget()
        return {"shuffled": x, "of": inner}

    def merge(self, a: State, b: State) -> State:
        """A permutation needs the whole matrix, so there are no two states to merge."""
        raise TypeError("a permutation needs the matrix in one tile")

    def finish(self, state: State) -> Sequence[Any] | Again:
        """The sketches of `of`, or its next pass."""
        result = self.of.finish(state["of"])
        if isinstance(result, Again):
            return Again(state | {"of": result.state})
        return result


def permuted(x: Tensor, seed: int) -> Tensor:
    """Each matrix of (b, m, n) in a seeded random order.

    The order is that of numpy's Generator.shuffle on the row-major elements.
    """
    integers = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    words = x.contiguous().view(integers[x.element_size()]).cpu().numpy()
    words = words.reshape(len(words), -1).copy()  # (b, elements)
    for matrix in words:
        # The same seed for each, so that a matrix is permuted alike in a stack and alone.
        np.random.default_rng(seed).shuffle(matrix)
    on_device = sent(torch.from_numpy(words), x.device)
    return on_device.view(x.dtype).view(x.shape)
