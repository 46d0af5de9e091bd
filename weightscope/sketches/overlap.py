"""Overlap -> SubspaceOverlap: how much the leading left singular vectors of A and B have in common.

|U_a^T U_b|_F^2 / k with k = min(16, m, n) vectors each: 1 for one subspace, k/m for independent
ones. U are eigenvectors of A A^T where A is wide; where it is tall, U = A V / sigma, so that
U_a^T U_b = (V_a / sigma_a)^T (A^T B) (V_b / sigma_b) needs products of the smaller side only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..geometry import LONG_LINES, Shape, long_side, tile_size
from ..lazy import torch
from .leading import Leading, leading_of_stack
from .sketch import Cut, Passes, State
from .tile import Tile, cleaned, cleaned_stack

if TYPE_CHECKING:
    from torch import Tensor

VECTORS = 16


@dataclass(frozen=True)
class SubspaceOverlap:
    """The overlap of k vectors; None where a matrix has a rank below k, or squares overflow."""

    overlap: float | None
    k: int
    m: int

    def forget(self) -> None:
        """Vectors belong to one matrix."""

    def __add__(self, other: SubspaceOverlap) -> SubspaceOverlap:
        raise TypeError("overlaps of different tensors do not add")


@dataclass(frozen=True)
class Overlap:
    """Taken of B; `other` is the label of A."""

    other: str = "a"
    cut: ClassVar[Cut] = "long"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """Three Gram matrices and a copy for eigenvectors, with two tiles in float64."""
        return self.bytes_on(shape, "cpu")

    def bytes_on(self, shape: Shape, device: str) -> int:
        """The same of a device: a GPU has larger tiles, and all eigenvectors of larger matrices."""
        size, side = shape[0] * shape[1], min(shape)
        tile = min(size, max(tile_size(device), LONG_LINES * side))
        matrices = 5 if device == "cpu" else 7
        return 8 * matrices * side * side + 32 * tile

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero products."""
        side = min(shape)
        zeros = torch.zeros(3, stack, side, side, dtype=torch.float64, device=device)
        return {"aa": zeros[0], "bb": zeros[1], "ab": zeros[2], "shape": shape}

    def add(self, state: State, tile: Tile) -> State:
        """Adds the products of a tile's rows or columns."""
        if not tile.box.size:
            return state
        other = tile.beside[self.other]
        if tile.scratch.device != "cpu":
            return _added(state, *(_tall(cleaned_stack(one)[0], tile) for one in (other, tile)))
        for i in range(tile.stack):
            b = _tall(cleaned(tile, slice(i, i + 1))[0][0], tile)
            a = _tall(cleaned(other, slice(i, i + 1))[0][0], tile)
            state["aa"][i].addmm_(a.mT, a)
            state["bb"][i].addmm_(b.mT, b)
            if _needs_cross(state["shape"]):
                state["ab"][i].addmm_(a.mT, b)
        return state

    def merge(self, a: State, b: State) -> State:
        """Products add."""
        return a | {name: a[name] + b[name] for name in ("aa", "bb", "ab")}

    def finish(self, state: State) -> Sequence[SubspaceOverlap]:
        """One record per matrix."""
        shape = state["shape"]
        k = min(VECTORS, *shape)
        crosses = [None] * len(state["ab"])
        if _needs_cross(shape):
            crosses = state["ab"].cpu()
        a, b = (leading_of_stack(state[name], k) for name in ("aa", "bb"))
        pairs = zip(a, b, crosses, strict=True)
        return [SubspaceOverlap(_overlap(*pair, k), k, shape[0]) for pair in pairs]


def _needs_cross(shape: Shape) -> bool:
    """Whether the products are those of columns, and give right vectors: rows are the long side."""
    return long_side(shape) == 0


def _tall(x: Tensor, tile: Tile) -> Tensor:
    """Rows along the long side."""
    return x if long_side(tile.shape) == 0 else x.mT


def _added(state: State, a: Tensor, b: Tensor) -> State:
    """The products of all matrices of a stack at once, on a GPU."""
    state["aa"].baddbmm_(a.mT, a)
    state["bb"].baddbmm_(b.mT, b)
    if _needs_cross(state["shape"]):
        state["ab"].baddbmm_(a.mT, b)
    return state


def _overlap(a: Leading | None, b: Leading | None, ab: Tensor | None, k: int) -> float | None:
    """|U_a^T U_b|_F^2 / k from eigenvectors and products; `ab` is None where A is wide."""
    if not k or a is None or b is None:
        return None
    sides = []
    for values, vectors in (a, b):
        sides.append(vectors if ab is None else vectors / values.sqrt())
    inner = sides[0].mT @ sides[1]
    if ab is not None:
        inner = sides[0].mT @ ab @ sides[1]
    overlap = float(inner.square().sum()) / k
    return min(overlap, 1.0)
