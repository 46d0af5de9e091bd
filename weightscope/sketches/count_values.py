"""Counting small tensors of wide types by value: the distinct values themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dtypes import DTYPES
from ..lazy import numpy as np
from ..lazy import torch
from .grid import NORMAL
from .nonfinite import first_places
from .power_sums import PowerSums
from .sketch import State
from .tile import Tile
from .value_counts import ValueCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray


def start(stack: int, dtype: str, device: str) -> State:
    """Nothing kept yet."""
    return {"kept": torch.empty(stack, 0, dtype=getattr(torch, DTYPES[dtype].store), device=device)}


def add(state: State, tile: Tile) -> State:
    """The elements as they are stored: at most 65,536 of them in all."""
    holds = (~tile.dense.isfinite()).sum(1).tolist()
    return {
        "kept": torch.cat((state["kept"], tile.dense), 1),
        "first": first_places(state["first"], tile, holds),
    }


def merge(a: State, b: State) -> State:
    """Concatenation; sorting at the end makes the order irrelevant."""
    return {"kept": torch.cat((a["kept"], b["kept"]), 1)}


def finish(state: State) -> list[ValueCounts]:
    """Distinct values, sorted, and what is not finite counted apart."""
    dtype = state["dtype"]
    kept = state["kept"].cpu().numpy()
    if DTYPES[dtype].kind == "uint":
        kept = kept.view(f"u{kept.dtype.itemsize}")
    return [_counted(row, dtype) for row in kept]


def _counted(row: NDArray[Any], dtype: str) -> ValueCounts:
    finite = row[np.isfinite(row)]
    distinct, counts = np.unique(finite, return_counts=True)
    value, low, high = distinct.astype(np.float64) + 0.0, *_edges(distinct)
    tiny = (value != 0) & (np.abs(value) < NORMAL.get(dtype, 0.0))
    return ValueCounts(
        low,
        high,
        value,
        counts.astype(np.int64),
        PowerSums.of(value, counts),
        exact=True,
        zeros=int(counts[value == 0].sum()),
        subnormals=int(counts[tiny].sum()),
        inf=int(np.isinf(row).sum()),
        nan=int(np.isnan(row).sum()),
        minus_inf=int((row == -np.inf).sum()),
        minimum=float(value[0]) if len(value) else np.inf,
        maximum=float(value[-1]) if len(value) else -np.inf,
        coarse=dtype == "F32" and not (row.view(np.uint32) & 0xFFFF).any(),
    )


def _edges(distinct: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Halfway to the neighbouring representable values: half a step for integers, nextafter for floats."""
    value = distinct.astype(np.float64)
    if distinct.dtype.kind != "f":
        return value - 0.5, value + 0.5
    with np.errstate(
        over="ignore", under="ignore"
    ):  # the neighbour of the largest finite value is Inf
        below = np.nextafter(distinct, np.array(-np.inf, distinct.dtype)).astype(np.float64)
        above = np.nextafter(distinct, np.array(np.inf, distinct.dtype)).astype(np.float64)
    below, above = (
        np.where(np.isfinite(below), below, value),
        np.where(np.isfinite(above), above, value),
    )
    return value + (below - value) / 2, value + (above - value) / 2
