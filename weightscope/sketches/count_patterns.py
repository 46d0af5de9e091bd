"""Counting narrow types by bit pattern: at most 65,536 cells, nothing lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dtypes import DTYPES
from ..lazy import numpy as np
from ..lazy import torch
from .grid import grid
from .nonfinite import first_places
from .power_sums import PowerSums
from .sketch import State
from .tile import Tile
from .value_counts import ValueCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def start(stack: int, dtype: str, device: str) -> State:
    """One histogram a matrix, and which patterns are NaN or Inf."""
    return {
        "counts": torch.zeros(stack, 1 << DTYPES[dtype].bits, dtype=torch.int64, device=device),
        "nonfinite": torch.from_numpy(np.flatnonzero(grid(dtype).rank < 0)).to(device),
    }


def add(state: State, tile: Tile) -> State:
    """The tile's histogram on top; a tile with NaN or Inf is searched for the first."""
    counts = histogram(tile.patterns, state["counts"].shape[1])
    holds = counts.index_select(1, state["nonfinite"]).sum(1).tolist()
    return {
        "counts": state["counts"].add_(counts),
        "first": first_places(state["first"], tile, holds),
    }


def merge(a: State, b: State) -> State:
    """Integer addition: exact in any order."""
    return {"counts": a["counts"] + b["counts"]}


def finish(state: State) -> list[ValueCounts]:
    """Patterns that occur, as cells."""
    return [cells(counts, state["dtype"]) for counts in state["counts"].cpu().numpy()]


def histogram(codes: Tensor, size: int) -> Tensor:
    """How often each code 0..size-1 occurs in each row of (b, elements): int64 (b, size)."""
    stack = codes.shape[0]
    if stack > 1:
        codes = codes + size * torch.arange(stack, dtype=codes.dtype, device=codes.device)[:, None]
    return torch.bincount(codes.reshape(-1), minlength=stack * size).view(stack, size)


def cells(counts: NDArray[np.int64], dtype: str) -> ValueCounts:
    """A histogram over patterns of a narrow type as ValueCounts."""
    g = grid(dtype)
    finite = g.rank >= 0
    total = np.zeros(len(g.value), np.int64)
    np.add.at(total, g.rank[finite], counts[finite])  # +0 and -0 share a cell
    seen = np.flatnonzero(total)
    value, found = g.value[seen], total[seen]
    return ValueCounts(
        g.low[seen],
        g.high[seen],
        value,
        found,
        PowerSums.of(value, found),
        exact=True,
        zeros=int(found[value == 0].sum()),
        subnormals=int(found[g.subnormal[seen]].sum()),
        inf=int(counts[g.inf].sum()),
        nan=int(counts[g.nan].sum()),
        minus_inf=int(counts[g.minus_inf].sum()),
        minimum=float(value[0]) if len(seen) else np.inf,
        maximum=float(value[-1]) if len(seen) else -np.inf,
        noncanonical=int(counts[2:].sum()) if dtype == "BOOL" else 0,
    )
