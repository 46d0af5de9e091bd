"""Kept -> KeptValues: the values of all rows in float32, of a wide matrix at some columns.

The columns are evenly spaced. It is for matrices of few rows, such as a sample of the rows of a
larger one. What float32 cannot hold is Inf or 0 in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import torch
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..lazy import numpy as np

WIDEST = 4096  # columns that are kept


@dataclass(frozen=True, eq=False)
class KeptValues:
    """The values, (rows, columns kept) float32, NaN and Inf included."""

    values: NDArray[np.float32]

    def forget(self) -> None:
        """Values belong to one matrix."""

    def __add__(self, other: KeptValues) -> KeptValues:
        raise TypeError("values of different tensors do not add")


@dataclass(frozen=True)
class Kept:
    """Copies the values of each tile."""

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """float32 of all rows and of the columns that are kept."""
        rows, columns = shape
        return 4 * rows * -(-columns // _step(columns))

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zeros."""
        rows, columns = shape
        step = _step(columns)
        kept = -(-columns // step)
        return {
            "values": torch.zeros(stack, rows, kept, dtype=torch.float32, device=device),
            "step": step,
        }

    def add(self, state: State, tile: Tile) -> State:
        """Copies every step-th column of a tile."""
        if not tile.box.size:
            return state
        step = state["step"]
        first, last = tile.box.cols
        columns = slice(-(-first // step), -(-last // step))
        skipped = columns.start * step - first
        rows = slice(*tile.box.rows)
        values = tile.values[:, :, skipped::step].float()
        # the payload of a NaN that is widened depends on the vector registers
        values = values.masked_fill(values.isnan(), nan)
        state["values"][:, rows, columns] = values
        return state

    def merge(self, a: State, b: State) -> State:
        """Each value is copied by one of both; that of the other is 0."""
        # words are joined, since -0 + 0 is 0
        words = a["values"].view(torch.int32) | b["values"].view(torch.int32)
        return a | {"values": words.view(torch.float32)}

    def finish(self, state: State) -> Sequence[KeptValues]:
        """One record per matrix."""
        return [KeptValues(values) for values in state["values"].cpu().numpy()]


def _step(columns: int) -> int:
    """The distance of two columns that are kept."""
    return max(1, -(-columns // WIDEST))
