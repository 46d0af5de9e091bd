"""Cross -> CrossProducts: inner products of every column of A with every column of B.

With neurons along the columns (up and gate matrices enter transposed, down matrices as they are)
these are the cosines by which neurons of A are assigned to neurons of B.

Products are float32: 4 bytes for each pair of columns, 485 MB for 11,008 neurons. A cosine of
columns of 4,096 elements is then exact to 1e-6, where those of unrelated columns spread by 0.016.
The sums of squares are float64. Elements are read in chunks of rows, so that no matrix is copied
whole. Elements of |x| < 1e-19 are lost in products, those of |x| > 1e19 make them Inf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, ClassVar

from ..dtypes import DTYPES
from ..geometry import Shape
from ..lazy import torch
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

CHUNK = 1 << 20  # elements of a chunk of rows, at least one row
FEWEST_ROWS = 64  # rows of a chunk: products of fewer wait for memory


@dataclass(frozen=True, eq=False)
class CrossProducts:
    """`products` (f_a, f_b) float32 of columns; sums of squares (f_a,) and (f_b,) float64.

    `rows` is the length of a column. `left_out` counts elements of A and of B that are NaN or Inf
    in float32: they count as 0.
    """

    products: NDArray[np.float32]
    squares_a: NDArray[np.float64]
    squares_b: NDArray[np.float64]
    rows: int
    left_out: int = 0

    def forget(self) -> None:
        """Columns belong to one matrix."""

    def __add__(self, other: CrossProducts) -> CrossProducts:
        raise TypeError("products of columns of different tensors do not add")


@dataclass(frozen=True)
class Cross:
    """Taken of B; `other` is the label of A, of the same shape."""

    other: str = "a"
    cut: ClassVar[Cut] = "whole"  # columns of one tile need columns of all others
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """The products, two vectors of squares, and two chunks with a float64 copy of one."""
        rows, columns = shape
        chunk = min(rows, _chunk_rows(columns)) * columns
        return 4 * columns * columns + 16 * columns + 16 * chunk

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero products."""
        columns = shape[1]
        products = torch.zeros(stack, columns, columns, dtype=torch.float32, device=device)
        squares = torch.zeros(2, stack, columns, dtype=torch.float64, device=device)
        return {
            "products": products,
            "a": squares[0],
            "b": squares[1],
            "left_out": torch.zeros(stack, dtype=torch.int64, device=device),
            "rows": shape[0],
        }

    def add(self, state: State, tile: Tile) -> State:
        """Adds the products of a tile's rows, chunk by chunk."""
        if not tile.box.size:
            return state
        other = tile.beside[self.other]
        rows, columns = tile.box.shape
        step = _chunk_rows(columns)
        for i in range(tile.stack):
            for first in range(0, rows, step):
                chosen = slice(first, min(first + step, rows))
                a, lost_a = _chunk(other, i, chosen, "cross a")
                b, lost_b = _chunk(tile, i, chosen, "cross b")
                state["products"][i].addmm_(a.mT, b)
                state["a"][i] += _squares(a)
                state["b"][i] += _squares(b)
                state["left_out"][i] += lost_a + lost_b
        return state

    def merge(self, a: State, b: State) -> State:
        """Products of other rows add."""
        return a | {name: a[name] + b[name] for name in ("products", "a", "b", "left_out")}

    def finish(self, state: State) -> Sequence[CrossProducts]:
        """One record per matrix."""
        sums = (state[name].cpu().numpy() for name in ("products", "a", "b"))
        of_matrices = zip(*sums, state["left_out"].tolist(), strict=True)
        return [
            CrossProducts(products, a, b, state["rows"], left_out)
            for products, a, b, left_out in of_matrices
        ]


def _chunk_rows(columns: int) -> int:
    """Rows of a chunk: about CHUNK elements.

    >>> _chunk_rows(4096), _chunk_rows(1 << 20)
    (256, 64)
    """
    return max(FEWEST_ROWS, CHUNK // max(columns, 1))


def _chunk(tile: Tile, which: int, rows: slice, name: str) -> tuple[Tensor, Tensor | int]:
    """Rows of one matrix in float32, zeros for what is not finite, and the number of those.

    Copied to the start of a buffer: at another alignment BLAS adds in another order.
    """
    source = tile.stored if DTYPES[tile.dtype].kind == "float" else tile.values
    part = source[which, rows]
    if tile.mirrored:
        part = part.mT
    x = tile.scratch.take(name, tuple(part.shape), torch.float32).copy_(part)
    left_out: Tensor | int = 0
    # a finite sum has finite terms only; on a GPU asking for it takes longer than counting
    if tile.scratch.device != "cpu" or not isfinite(float(x.sum())):
        left_out = (~x.isfinite()).sum()
        x.nan_to_num_(0.0, 0.0, 0.0)
    if tile.mirrored:
        x = x.mT
    return x, left_out


def _squares(x: Tensor) -> Tensor:
    """(columns,) float64 sums of squares of the columns."""
    norms: Tensor = torch.linalg.vector_norm(x, dim=0, dtype=torch.float64)
    return norms.square()
