"""Factor -> Triangle: the R factor of a thin matrix, so that the spectrum of a product B A needs r x r numbers alone.

B = Q R_B and A^T = Q' R_A give B A = Q (R_B R_A^T) Q'^T: the same singular values, and no square was taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import torch
from .sketch import Cut, Passes, State
from .tile import Tile, cleaned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..lazy import numpy as np


@dataclass(frozen=True, eq=False)
class Triangle:
    """`r` is (min(m, r), r), upper triangular float64, with R^T R = W^T W; non-finite elements were taken as zeros."""

    r: NDArray[np.float64]
    nonfinite: int = 0

    def forget(self) -> None:
        """It belongs to one matrix."""

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
        """No triangle yet."""
        return {"found": [Triangle(torch.zeros(0, shape[1], dtype=torch.float64).numpy())] * stack}

    def add(self, state: State, tile: Tile) -> State:
        """One decomposition a matrix, each at the start of its buffer."""
        return {
            "found": [_triangle(tile, i) for i in range(tile.stack)]
            if tile.box.size
            else state["found"]
        }

    def merge(self, a: State, b: State) -> State:
        """A triangle needs the whole matrix: there is nothing to merge."""
        raise TypeError("a factor is taken whole")

    def finish(self, state: State) -> Sequence[Triangle]:
        """One triangle a matrix."""
        found: Sequence[Triangle] = state["found"]
        return found


def _triangle(tile: Tile, i: int) -> Triangle:
    x, bad = cleaned(tile, slice(i, i + 1))
    return Triangle(torch.linalg.qr(x[0], mode="r").R.cpu().numpy(), bad[0])
