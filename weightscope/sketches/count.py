"""Count -> ValueCounts: every element-wise question answered by one pass of counting.

Three ways, chosen from type and shape alone: narrow types by bit pattern (lossless); wide types of at most 65,536
elements by value (lossless); larger ones by the upper 16 bits of float32 with power sums of the values beside. Each
tells which tiles hold NaN or Inf, so that the place of the first is kept too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import ClassVar

from ..dtypes import DTYPES
from ..geometry import Shape
from . import count_bins, count_patterns, count_values
from .nonfinite import earliest
from .sketch import Cut, Passes, State
from .tile import Tile
from .value_counts import ValueCounts

EXACT = 65536  # elements up to which wide types keep their distinct values


@dataclass(frozen=True)
class Count:
    """Counts the cells of a tensor.

    Law: the counts of any tiling, in any order of merging, are identical, the place of the first NaN or Inf too; power
    sums agree to float64 rounding.
    """

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """A dense histogram, twice (the tile's and the total)."""
        return 2 * 65536 * 8

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Empty histograms, or nothing yet."""
        way = way_of(dtype, shape)
        empty: State = way.start(stack, dtype, device)
        return {"way": way, "dtype": dtype, "first": [None] * stack} | empty

    def add(self, state: State, tile: Tile) -> State:
        """One tile more."""
        if not tile.box.size:
            return state
        added: State = _way(state).add(state, tile)
        return state | added

    def merge(self, a: State, b: State) -> State:
        """Histograms and power sums add; of two places the earlier stays."""
        merged: State = _way(a).merge(a, b)
        return (
            a
            | merged
            | {"first": [earliest(*pair) for pair in zip(a["first"], b["first"], strict=True)]}
        )

    def finish(self, state: State) -> Sequence[ValueCounts]:
        """Cells that occur, and where the first NaN or Inf stands."""
        found: Sequence[ValueCounts] = _way(state).finish(state)
        return [
            replace(counts, first_nonfinite=place)
            for counts, place in zip(found, state["first"], strict=True)
        ]


def way_of(dtype: str, shape: Shape) -> ModuleType:
    """Which of the three ways a tensor of this type and shape is counted."""
    if DTYPES[dtype].narrow:
        return count_patterns
    return count_values if shape[0] * shape[1] <= EXACT else count_bins


def _way(state: State) -> ModuleType:
    way = state["way"]
    assert isinstance(way, ModuleType)
    return way
