"""Counting narrow types by bit pattern: at most 65,536 cells, lossless."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dtypes import DTYPES
from ..lazy import numpy as np
from ..lazy import torch
from ..sending import sent
from .grid import grid
from .histogram import histogram
from .nonfinite import first_positions
from .power_sums import PowerSums
from .sketch import State
from .tile import Tile
from .value_counts import ValueCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray


def start(stack: int, dtype: str, device: str) -> State:
    """One histogram per matrix, and the patterns that are NaN or Inf."""
    patterns = 1 << DTYPES[dtype].bits
    nonfinite = np.flatnonzero(grid(dtype).rank < 0)
    return {
        "counts": torch.zeros(stack, patterns, dtype=torch.int64, device=device),
        "nonfinite": sent(torch.from_numpy(nonfinite), device),
    }


def add(state: State, tile: Tile) -> State:
    """Adds the tile's histogram; a tile with NaN or Inf is searched for the first."""
    counts = histogram(tile.patterns, state["counts"].shape[1])
    nonfinite = counts.index_select(1, state["nonfinite"]).sum(1)
    return {
        "counts": state["counts"].add_(counts),
        "first": first_positions(state["first"], tile, nonfinite),
    }


def merge(a: State, b: State) -> State:
    """Integer addition: exact in any order."""
    return {"counts": a["counts"] + b["counts"]}


def finish(state: State) -> list[ValueCounts]:
    """The cells of the patterns that occur."""
    histograms = state["counts"].cpu().numpy()
    return [cells(counts, state["dtype"]) for counts in histograms]


def cells(counts: NDArray[np.int64], dtype: str) -> ValueCounts:
    """A histogram over patterns of a narrow type as ValueCounts."""
    g = grid(dtype)
    finite = g.rank >= 0
    total = np.zeros(len(g.value), np.int64)
    np.add.at(total, g.rank[finite], counts[finite])  # +0 and -0 share a cell
    occurring = np.flatnonzero(total)
    value, occurrences = g.value[occurring], total[occurring]
    minimum, maximum = np.inf, -np.inf
    if len(value):
        minimum, maximum = float(value[0]), float(value[-1])
    noncanonical = 0
    if dtype == "BOOL":
        noncanonical = int(counts[2:].sum())
    return ValueCounts(
        g.low[occurring],
        g.high[occurring],
        value,
        occurrences,
        PowerSums.of(value, occurrences),
        exact=True,
        zeros=int(occurrences[value == 0].sum()),
        subnormals=int(occurrences[g.subnormal[occurring]].sum()),
        inf=int(counts[g.inf].sum()),
        nan=int(counts[g.nan].sum()),
        minus_inf=int(counts[g.minus_inf].sum()),
        minimum=minimum,
        maximum=maximum,
        noncanonical=noncanonical,
    )
