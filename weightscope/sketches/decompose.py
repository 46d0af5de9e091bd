"""Decompose -> SingularValues: eigenvalues of the smaller side's Gram matrix, or a float64 SVD.

The Gram matrix adds up in float64 over tiles across the long side: its s x s numbers are the whole
state, for a tensor of any length. Its eigenvalues are the squared singular values, exact down to
sigma_1 sqrt(r 2^-52).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, ClassVar

from ..geometry import LONG_LINES, Shape, long_side, tile_size
from ..lazy import numpy as np
from ..lazy import torch
from .gram import Blocks, added, blank, eigenvalues, room, sound
from .sketch import Cut, Passes, State
from .tile import Tile, cleaned, cleaned_stack

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

EPS = 2.0**-52


@dataclass(frozen=True, eq=False)
class SingularValues:
    """sigma_1 >= ... >= sigma_r >= 0 (float64, r = min(m, n)), empty where squares overflow.

    Below `floor` the method does not distinguish a singular value from zero; `diagonal` is the
    energy where row = column modulo r; non-finite elements counted as zeros.
    """

    values: NDArray[np.float64]
    shape: Shape
    method: str  # gram | svd | factors
    floor: float
    diagonal: float
    nonfinite: int = 0

    def forget(self) -> None:
        """A spectrum belongs to one matrix."""

    def __add__(self, other: SingularValues) -> SingularValues:
        raise TypeError("spectra of different tensors do not add")


@dataclass(frozen=True)
class Decompose:
    """Adds up the Gram matrix; with `svd`, decomposes the whole matrix without squares."""

    svd: bool = False
    passes: ClassVar[Passes] = "one"

    @property
    def cut(self) -> Cut:
        """Across the long side; not at all for an SVD."""
        return "whole" if self.svd else "long"

    def bytes(self, shape: Shape) -> int:
        """Gram matrix and its eigenvalues, with one tile in float64; or three whole matrices."""
        return self.bytes_on(shape, "cpu")

    def bytes_on(self, shape: Shape, device: str) -> int:
        """The same of a device: a GPU has larger tiles, and copies of larger matrices."""
        size, side = shape[0] * shape[1], min(shape)
        if self.svd:
            return 24 * size
        tile = min(size, max(tile_size(device), LONG_LINES * side))
        return room(side, device) + 24 * tile

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero Gram matrices; no values for an SVD."""
        side = 0 if self.svd else min(shape)
        # A CPU adds the matrices of a stack one by one (see `cleaned`).
        if device == "cpu":
            groups = [1] * stack
        else:
            groups = [stack]
        return {
            "gram": [(b, blank(b, side, device)) for b in groups],
            "values": [],
            "diagonal": torch.zeros(stack, dtype=torch.float64, device=device),
            "nonfinite": torch.zeros(stack, dtype=torch.int64, device=device),
            "shape": shape,
        }

    def add(self, state: State, tile: Tile) -> State:
        """Adds the products of a tile's rows or columns; for an SVD, all singular values."""
        if not tile.box.size:
            return state
        first = 0
        for b, gram in state["gram"]:
            x, nonfinite = _cleaned(tile, first, b)  # (b, rows, columns), (b,)
            state["nonfinite"][first : first + b] += nonfinite
            state["diagonal"][first : first + b] += _diagonal(x, tile)
            if long_side(tile.shape) == 0:
                tall = x
            else:
                tall = x.mT
            if self.svd:
                # LAPACK needs 1.5 to 4 times as long for wide matrices.
                state["values"].extend(torch.linalg.svdvals(tall).cpu().numpy())
            else:
                added(gram, tall)
            first += b
        return state

    def merge(self, a: State, b: State) -> State:
        """Gram matrices add."""
        if self.svd:
            raise TypeError("a singular value decomposition needs the matrix in one tile")
        nonfinite = a["nonfinite"] + b["nonfinite"]
        diagonal = a["diagonal"] + b["diagonal"]
        grams = []
        for (stack, a_blocks), (_, b_blocks) in zip(a["gram"], b["gram"], strict=True):
            blocks = [x + y for x, y in zip(a_blocks, b_blocks, strict=True)]
            grams.append((stack, blocks))
        return a | {"gram": grams, "diagonal": diagonal, "nonfinite": nonfinite}

    def finish(self, state: State) -> Sequence[SingularValues]:
        """One spectrum per matrix."""
        stack = self._values(state)
        diagonals, nonfinite = state["diagonal"].tolist(), state["nonfinite"].tolist()
        spectra = []
        for values, diagonal, count in zip(stack, diagonals, nonfinite, strict=True):
            spectra.append(self._spectrum(state["shape"], values, diagonal, count))
        return spectra

    def _values(self, state: State) -> Sequence[NDArray[np.float64]]:
        """The singular values of each matrix; NaN where squares overflow."""
        values: list[NDArray[np.float64]] = list(state["values"])
        if not self.svd:
            for stack, gram in state["gram"]:
                values.extend(_roots(gram, stack))
        if not values:  # an SVD of an empty matrix
            values = list(np.zeros((len(state["nonfinite"]), min(state["shape"]))))
        return values

    def _spectrum(
        self, shape: Shape, values: NDArray[np.float64], diagonal: float, nonfinite: int
    ) -> SingularValues:
        method, precision = "gram", sqrt(len(values) * EPS)
        if self.svd:
            method, precision = "svd", len(values) * EPS
        if not np.isfinite(values).all():
            values = values[:0]  # one overflow makes all eigenvalues meaningless
        floor = float(values.max(initial=0.0)) * precision
        return SingularValues(values, shape, method, floor, diagonal, nonfinite)


def _cleaned(tile: Tile, first: int, b: int) -> tuple[Tensor, Tensor]:
    """`b` matrices in float64, zeros for non-finite elements, and the numbers of those."""
    if tile.scratch.device != "cpu":
        return cleaned_stack(tile)
    x, nonfinite = cleaned(tile, slice(first, first + b))
    return x, torch.tensor(nonfinite)


def _diagonal(x: Tensor, tile: Tile) -> Tensor:
    """Sum of squares of W[l, l mod r] over the rows or columns l of the long side."""
    axis = long_side(tile.shape)
    first, last = tile.box.rows if axis == 0 else tile.box.cols
    line = torch.arange(first, last, device=x.device)
    along, across = line - first, line % tile.shape[1 - axis]
    if axis == 0:
        elements = x[:, along, across]
    else:
        elements = x[:, across, along]
    energy: Tensor = elements.square().sum(-1)
    return energy


def _roots(gram: Blocks, stack: int) -> NDArray[np.float64]:
    """(b, s) singular values, descending; NaN where a square has overflowed."""
    if not gram:
        return np.zeros((stack, 0))
    finite = sound(gram)  # (b,)
    if gram[0].device.type != "cpu" or not bool(finite.all()):  # a GPU need not be waited for
        # LAPACK raises on Inf and NaN, which would lose the other matrices of the stack.
        gram = [torch.where(finite[:, None, None], block, 0.0) for block in gram]
    values = eigenvalues(gram).clamp_(min=0).sqrt_().flip(-1)
    finite = finite.to(values.device)[:, None]
    roots: NDArray[np.float64] = torch.where(finite, values, torch.nan).cpu().numpy()
    return roots
