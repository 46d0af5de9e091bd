"""Factor -> Triangle: the R factor of a thin matrix.

The spectrum of a product B A follows from two r x r factors: B = Q R_B and A^T = Q' R_A give B A =
Q (R_B R_A^T) Q'^T, whose singular values are those of R_B R_A^T, without squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import torch
from .sketch import Cut, Passes, State
from .tile import Tile, cleaned, cleaned_stack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..lazy import numpy as np


@dataclass(frozen=True, eq=False)
class Triangle:
    """`r` is (min(m, r), r), upper triangular float64, with R^T R = W^T W.

    Non-finite elements count as zeros.
    """

    r: NDArray[np.float64]
    nonfinite: int = 0

    def forget(self) -> None:
        """A factor belongs to one matrix."""

    def __add__(self, other: Triangle) -> Triangle:
        raise TypeError("triangles of different tensors do not add")


@dataclass(frozen=True)
class Factor:
    """Householder QR of the whole matrix in float64."""

    cut: ClassVar[Cut] = "whole"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """The matrix in float64, its reflectors and R."""
        return 24 * shape[0] * shape[1]

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Triangles without rows."""
        empty = torch.zeros(0, shape[1], dtype=torch.float64).numpy()
        return {"triangles": [Triangle(empty)] * stack}

    def add(self, state: State, tile: Tile) -> State:
        """One decomposition per matrix, each at the start of its buffer; of a stack on a GPU."""
        if not tile.box.size:
            return state
        if tile.scratch.device != "cpu":
            x, nonfinite = cleaned_stack(tile)
            return {"there": (torch.linalg.qr(x, mode="r").R, nonfinite)}
        return {"triangles": [_triangle(tile, i) for i in range(tile.stack)]}

    def merge(self, a: State, b: State) -> State:
        """A triangle needs the whole matrix, so there are no two states to merge."""
        raise TypeError("a factor needs the matrix in one tile")

    def finish(self, state: State) -> Sequence[Triangle]:
        """One triangle per matrix."""
        if "there" in state:
            stack, nonfinite = (x.cpu() for x in state["there"])
            pairs = zip(stack.numpy(), nonfinite.tolist(), strict=True)
            return [Triangle(r, count) for r, count in pairs]
        triangles: Sequence[Triangle] = state["triangles"]
        return triangles


def _triangle(tile: Tile, i: int) -> Triangle:
    x, nonfinite = cleaned(tile, slice(i, i + 1))
    r = torch.linalg.qr(x[0], mode="r").R
    return Triangle(r.cpu().numpy(), nonfinite[0])
