"""Decompose -> SingularValues: eigenvalues of the smaller side's Gram matrix, or a float64 SVD of the whole.

The Gram matrix adds up in float64 over tiles across the long side: s x s numbers stay of a tensor of any length. Its
eigenvalues are the squared singular values, exact down to sigma_1 sqrt(r 2^-52).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, ClassVar

from ..geometry import LONG_LINES, TILE, Shape, long_side
from ..lazy import numpy as np
from ..lazy import torch
from .gram import Blocks, added, blank, eigenvalues, room, sound
from .sketch import Cut, Passes, State
from .tile import Tile, cleaned

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

EPS = 2.0**-52


@dataclass(frozen=True, eq=False)
class SingularValues:
    """sigma_1 >= ... >= sigma_r >= 0 (float64, r = min(m, n)), empty where the squares leave float64's range.

    `floor` is what the method leaves uncertain; `diagonal` the energy where row = column modulo r; non-finite elements
    were taken as zeros.
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
    """Folds the Gram matrix; with `svd`, looks at the matrix whole and needs no squares."""

    svd: bool = False
    passes: ClassVar[Passes] = "one"

    @property
    def cut(self) -> Cut:
        """Across the long side, or not at all."""
        return "whole" if self.svd else "long"

    def bytes(self, shape: Shape) -> int:
        """Gram matrix and its eigenvalues, with one tile in float64; or three whole matrices."""
        size, side = shape[0] * shape[1], min(shape)
        return 24 * size if self.svd else room(side) + 24 * min(size, max(TILE, LONG_LINES * side))

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero Gram matrices; or no values yet."""
        groups = [1] * stack if device == "cpu" else [stack]
        side = 0 if self.svd else min(shape)
        return {
            "gram": [(b, blank(b, side, device)) for b in groups],
            "values": [],
            "diagonal": torch.zeros(stack, dtype=torch.float64, device=device),
            "nonfinite": [0] * stack,
            "shape": shape,
        }

    def add(self, state: State, tile: Tile) -> State:
        """The products of a tile's lines, or all the values."""
        if not tile.box.size:
            return state
        at = 0
        for many, gram in state["gram"]:
            here = slice(at, at := at + many)
            x, bad = cleaned(tile, here)
            state["nonfinite"][here] = [
                a + b for a, b in zip(state["nonfinite"][here], bad, strict=True)
            ]
            state["diagonal"][here] += _diagonal(x, tile)
            if self.svd:
                tall = (
                    x if long_side(tile.shape) == 0 else x.mT
                )  # LAPACK takes wide ones 1.5 to 4 times as long
                state["values"].extend(torch.linalg.svdvals(tall).cpu().numpy())
            else:
                added(gram, x if long_side(tile.shape) == 0 else x.mT)
        return state

    def merge(self, a: State, b: State) -> State:
        """Gram matrices add."""
        if self.svd:
            raise TypeError("a decomposed tensor is taken whole")
        counts = [x + y for x, y in zip(a["nonfinite"], b["nonfinite"], strict=True)]
        pairs = zip(a["gram"], b["gram"], strict=True)
        grams = [
            (many, [x + y for x, y in zip(own, other, strict=True)])
            for (many, own), (_, other) in pairs
        ]
        return a | {"gram": grams, "diagonal": a["diagonal"] + b["diagonal"], "nonfinite": counts}

    def finish(self, state: State) -> Sequence[SingularValues]:
        """One spectrum a matrix."""
        none = np.zeros((len(state["nonfinite"]), min(state["shape"])))
        squares = (
            [] if self.svd else [v for many, gram in state["gram"] for v in _roots(gram, many)]
        )
        found = squares or state["values"] or none
        return [self._spectrum(state, i, values) for i, values in enumerate(found)]

    def _spectrum(self, state: State, i: int, values: NDArray[np.float64]) -> SingularValues:
        known = values if np.isfinite(values).all() else values[:0]
        share = len(values) * EPS if self.svd else sqrt(len(values) * EPS)
        floor = float(known.max(initial=0.0)) * share
        diagonal, method = float(state["diagonal"][i]), "svd" if self.svd else "gram"
        return SingularValues(known, state["shape"], method, floor, diagonal, state["nonfinite"][i])


def _diagonal(x: Tensor, tile: Tile) -> Tensor:
    """Sum of squares of W[l, l mod r] over the long side's lines l."""
    axis = long_side(tile.shape)
    first, last = (tile.box.rows, tile.box.cols)[axis]
    along = torch.arange(first, last, device=x.device)
    at = (along - first, along % tile.shape[1 - axis])
    found: Tensor = (x[:, at[0], at[1]] if axis == 0 else x[:, at[1], at[0]]).square().sum(-1)
    return found


def _roots(gram: Blocks, many: int) -> NDArray[np.float64]:
    """(b, s) singular values, descending; NaN where a square has overflowed."""
    if not gram:
        return np.zeros((many, 0))
    known = sound(gram)
    safe = (
        gram
        if bool(known.all())
        else [torch.where(known[:, None, None], block, 0.0) for block in gram]
    )
    values = eigenvalues(safe).clamp_(min=0).sqrt_().flip(-1)
    found: NDArray[np.float64] = (
        torch.where(known.to(values.device)[:, None], values, torch.nan).cpu().numpy()
    )
    return found
