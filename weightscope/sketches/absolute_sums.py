"""AbsoluteSums -> RowSums: the sum of |w| of every row, whose largest is the L-infinity norm.

Sums run in float64, where a sum of float32 values does not overflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import torch
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..lazy import numpy as np


@dataclass(frozen=True, eq=False)
class RowSums:
    """The sum of |w| of each row, (m,) float64: NaN or Inf where an element is."""

    sums: NDArray[np.float64]

    def forget(self) -> None:
        """Rows belong to one matrix."""

    def __add__(self, other: RowSums) -> RowSums:
        raise TypeError("row sums of different tensors do not add")


@dataclass(frozen=True)
class AbsoluteSums:
    """Adds the absolute values of each row."""

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """One float64 per row."""
        return 8 * shape[0]

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero sums."""
        return {"sums": torch.zeros(stack, shape[0], dtype=torch.float64, device=device)}

    def add(self, state: State, tile: Tile) -> State:
        """Adds the sums of a tile's rows."""
        if not tile.box.size:
            return state
        values = tile.values
        size = tile.buffer("absolute", values, values.dtype)
        torch.abs(values, out=size)
        state["sums"][:, slice(*tile.box.rows)] += size.sum(-1, dtype=torch.float64)
        return state

    def merge(self, a: State, b: State) -> State:
        """Sums add."""
        return {"sums": a["sums"] + b["sums"]}

    def finish(self, state: State) -> Sequence[RowSums]:
        """One record per matrix."""
        return [RowSums(sums) for sums in state["sums"].cpu().numpy()]
