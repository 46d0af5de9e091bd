"""Shuffled(of): takes `of` of the permuted elements: the exact marginal without any structure, the strong null.

The permutation runs on the host in place on one copy of the stored elements, so that it is the same on every device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from .sketch import Again, Cut, Measure, Passes, State, tiling
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Shuffled:
    """`of` on permuted elements; every matrix of a shape is permuted alike."""

    of: Measure
    seed: int = 0
    cut: ClassVar[Cut] = "whole"
    passes: ClassVar[Passes] = "more"

    def bytes(self, shape: Shape) -> int:
        """The permuted copy at most 8 bytes an element, and what is wrapped."""
        return 8 * shape[0] * shape[1] + self.of.bytes(shape)

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Nothing permuted yet."""
        return {"shuffled": None, "of": self.of.start(stack, shape, dtype, device)}

    def add(self, state: State, tile: Tile) -> State:
        """Permutes the whole matrix once, then shows it tile by tile."""
        x = permuted(tile.stored, self.seed) if state["shuffled"] is None else state["shuffled"]
        inner = state["of"]
        axis, boxes = tiling(self.of.cut, tile.box, 0)
        for box in boxes:
            part = x[:, slice(*box.rows), slice(*box.cols)]
            inner = self.of.add(inner, Tile(part, tile.dtype, box, tile.shape, axis, tile.scratch))
        return {"shuffled": x, "of": inner}

    def merge(self, a: State, b: State) -> State:
        """A permutation needs the whole matrix: there is nothing to merge."""
        raise TypeError("a shuffled tensor is taken whole")

    def finish(self, state: State) -> Sequence[Any] | Again:
        """What `of` finishes."""
        answer = self.of.finish(state["of"])
        return Again(state | {"of": answer.state}) if isinstance(answer, Again) else answer


def permuted(x: Tensor, seed: int) -> Tensor:
    """Each matrix of (b, m, n) in a seeded random order: numpy's Generator.shuffle on its row-major elements."""
    integer = {1: "uint8", 2: "int16", 4: "int32", 8: "int64"}[x.element_size()]
    words = (
        x.contiguous().view(getattr(torch, integer)).cpu().numpy().reshape(x.shape[0], -1).copy()
    )
    for row in words:
        np.random.default_rng(seed).shuffle(row)
    return torch.from_numpy(words).to(x.device).view(x.dtype).view(x.shape)
