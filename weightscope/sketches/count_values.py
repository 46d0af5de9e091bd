"""Counting small tensors of wide types by value: the distinct values themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dtypes import DTYPES
from ..lazy import numpy as np
from ..lazy import torch
from .grid import NORMAL
from .nonfinite import first_positions
from .power_sums import PowerSums
from .sketch import State
from .tile import Tile
from .value_counts import ValueCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray


def start(stack: int, dtype: str, device: str) -> State:
    """No elements."""
    storage = getattr(torch, DTYPES[dtype].store)
    return {"elements": torch.empty(stack, 0, dtype=storage, device=device)}


def add(state: State, tile: Tile) -> State:
    """Appends the stored elements: at most 65,536 in all."""
    nonfinite = (~tile.dense.isfinite()).sum(1)
    return {
        "elements": torch.cat((state["elements"], tile.dense), 1),
        "first": first_positions(state["first"], tile, nonfinite),
    }


def merge(a: State, b: State) -> State:
    """Concatenation; sorting at the end makes the order irrelevant."""
    return {"elements": torch.cat((a["elements"], b["elements"]), 1)}


def finish(state: State) -> list[ValueCounts]:
    """The distinct values in ascending order, and counts of the non-finite elements."""
    dtype = state["dtype"]
    elements = state["elements"].cpu().numpy()  # (b, elements)
    if DTYPES[dtype].kind == "uint":
        elements = elements.view(f"u{elements.dtype.itemsize}")
    return [_counted(matrix, dtype) for matrix in elements]


def _counted(elements: NDArray[Any], dtype: str) -> ValueCounts:
    finite = elements[np.isfinite(elements)]
    distinct, counts = np.unique(finite, return_counts=True)
    value = distinct.astype(np.float64) + 0.0  # -0 becomes 0
    low, high = edges(distinct)
    subnormal = (value != 0) & (np.abs(value) < NORMAL.get(dtype, 0.0))
    minimum, maximum = np.inf, -np.inf
    if len(value):
        minimum, maximum = float(value[0]), float(value[-1])
    coarse = dtype == "F32" and not (elements.view(np.uint32) & 0xFFFF).any()
    return ValueCounts(
        low,
        high,
        value,
        counts.astype(np.int64),
        PowerSums.of(value, counts),
        exact=True,
        zeros=int(counts[value == 0].sum()),
        subnormals=int(counts[subnormal].sum()),
        inf=int(np.isinf(elements).sum()),
        nan=int(np.isnan(elements).sum()),
        minus_inf=int((elements == -np.inf).sum()),
        minimum=minimum,
        maximum=maximum,
        coarse=coarse,
    )


def edges(distinct: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Halfway to the neighbouring representable values: 1/2 for integers, nextafter for floats."""
    value = distinct.astype(np.float64)
    if distinct.dtype.kind != "f":
        return value - 0.5, value + 0.5
    below, above = _neighbour(distinct, -np.inf), _neighbour(distinct, np.inf)
    return value + (below - value) / 2, value + (above - value) / 2


def _neighbour(distinct: NDArray[np.floating], towards: float) -> NDArray[np.float64]:
    """The next representable value towards +-Inf; the value itself where that is Inf."""
    limit = np.array(towards, distinct.dtype)
    with np.errstate(over="ignore", under="ignore"):  # the neighbour of the largest value is Inf
        neighbour = np.nextafter(distinct, limit).astype(np.float64)
    return np.where(np.isfinite(neighbour), neighbour, distinct.astype(np.float64))
