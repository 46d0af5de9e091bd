"""Count -> ValueCounts: counts of all values in one pass, the base of element-wise statistics.

Three ways, chosen from type and shape alone: narrow types by bit pattern (lossless); wide types of
at most 65,536 elements by value (lossless); larger ones by the upper 16 bits of float32, with power
sums of the values. Each finds the tiles with NaN or Inf, and the position of the first of these is
part of the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import ClassVar

from ..dtypes import DTYPES
from ..geometry import Shape
from . import count_bins, count_patterns, count_together, count_values, few_values_together
from .nonfinite import joined_positions, no_positions, positions_on_host
from .sketch import Cut, Passes, State
from .tile import Tile
from .value_counts import ValueCounts

EXACT = 65536  # elements up to which wide types keep their distinct values


@dataclass(frozen=True)
class Count:
    """Counts the cells of a tensor.

    Law: any tiling, in any order of merging, gives the same counts and the same position of the
    first NaN or Inf; power sums agree to float64 rounding.
    """

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """Two dense histograms: the tile's and the total."""
        return self.bytes_on(shape, "cpu")

    def bytes_on(self, shape: Shape, device: str) -> int:
        """The same of a device: a GPU has a table of few values."""
        histograms = 2 * 65536 * 8
        if device == "cpu":
            return histograms
        return histograms + few_values_together.room()

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Empty histograms, or no elements."""
        way = way_of(dtype, shape)
        if way is count_bins and device != "cpu":
            way = count_together
        first = no_positions(stack, device)
        empty: State = way.start(stack, dtype, device)
        return {"way": way, "dtype": dtype, "first": first, "columns": shape[1]} | empty

    def add(self, state: State, tile: Tile) -> State:
        """Counts one tile."""
        if not tile.box.size:
            return state
        added: State = _way(state).add(state, tile)
        return state | added

    def merge(self, a: State, b: State) -> State:
        """Histograms and power sums add; of two positions the earlier remains."""
        merged: State = _way(a).merge(a, b)
        first = joined_positions(a["first"], b["first"])
        return a | merged | {"first": first}

    def finish(self, state: State) -> Sequence[ValueCounts]:
        """The cells that occur, and the position of the first NaN or Inf."""
        records: Sequence[ValueCounts] = _way(state).finish(state)
        first = positions_on_host(state["first"], state["columns"])
        return [
            replace(counts, first_nonfinite=position)
            for counts, position in zip(records, first, strict=True)
        ]


def way_of(dtype: str, shape: Shape) -> ModuleType:
    """The module that counts tensors of this type and shape."""
    if DTYPES[dtype].narrow:
        return count_patterns
    if shape[0] * shape[1] <= EXACT:
        return count_values
    return count_bins


def _way(state: State) -> ModuleType:
    way = state["way"]
    assert isinstance(way, ModuleType)
    return way
