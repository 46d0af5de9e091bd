"""RowPairs -> PairedRows: pairs of neighbouring rows, evenly spaced, and their first columns.

Scales of a quantiser belong to a tensor, a block of rows, a row or a group along a row: two
neighbours show which, and columns from the first on keep groups whole. 32 rows of 1,024 columns
cost a copy of 32,768 values, whatever the size of the matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, ClassVar

from ..dtypes import DTYPES
from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from ..sending import sent
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAIRS = 16
COLUMNS = 1024


@dataclass(frozen=True, eq=False)
class PairedRows:
    """The values (rows, columns) in float64; rows 2i and 2i + 1 are neighbours in the matrix."""

    values: NDArray[np.float64]

    def forget(self) -> PairedRows:
        """No rows: those of different tensors have different scales."""
        return PairedRows(np.zeros((0, 0)))

    def __add__(self, other: PairedRows) -> PairedRows:
        """No rows."""
        return self.forget()


@dataclass(frozen=True)
class RowPairs:
    """Copies the sampled rows of each tile."""

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """float64 of the sampled rows, and their numbers."""
        return 8 * len(sampled(shape[0])) * (min(shape[1], COLUMNS) + 1)

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zeros."""
        rows, columns = sampled(shape[0]), min(shape[1], COLUMNS)
        wide = torch.float32
        if DTYPES[dtype].bits >= 32 and dtype != "F32":
            wide = torch.float64
        return {
            "values": torch.zeros(stack, len(rows), columns, dtype=wide, device=device),
            "rows": rows,
            "there": sent(torch.tensor(rows, dtype=torch.int64), device),
        }

    def add(self, state: State, tile: Tile) -> State:
        """Copies the sampled rows of a tile, as far as its columns are sampled."""
        first, last = tile.box.rows
        here = [i for i, row in enumerate(state["rows"]) if first <= row < last]
        left, right = tile.box.cols
        right = min(right, state["values"].shape[-1])
        if not here or left >= right:
            return state
        chosen = slice(here[0], here[-1] + 1)
        rows = state["there"][chosen] - first
        values = tile.values[:, rows, : right - left]
        if DTYPES[tile.dtype].narrow:
            # the payload of a NaN that is widened depends on the vector registers
            values = values.masked_fill(values.isnan(), nan)
        state["values"][:, chosen, left:right] = values
        return state

    def merge(self, a: State, b: State) -> State:
        """Each value is copied by one of both; that of the other is 0."""
        # words are joined, since -0 + 0 is 0
        word = torch.int32
        if a["values"].dtype == torch.float64:
            word = torch.int64
        words = a["values"].view(word) | b["values"].view(word)
        return a | {"values": words.view(a["values"].dtype)}

    def finish(self, state: State) -> Sequence[PairedRows]:
        """One record per matrix."""
        return [PairedRows(values) for values in state["values"].cpu().double().numpy()]


def sampled(rows: int) -> list[int]:
    """All rows of a low matrix, else evenly spaced pairs that begin with an even row.

    >>> sampled(3), sampled(64)[:6]
    ([0, 1, 2], [0, 1, 4, 5, 8, 9])
    """
    if rows <= 2 * PAIRS:
        return list(range(rows))
    chosen = []
    for i in range(PAIRS):
        first = i * (rows // 2) // PAIRS * 2
        chosen += [first, first + 1]
    return chosen
