"""Samples for the tests of statistics: exact cells of any array, bins, sketches of a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from weightscope.geometry import long_side, whole
from weightscope.sketches import Again, Balanced, Count, Decompose, MarginSums, Scratch, Tile
from weightscope.sketches.grid import grid
from weightscope.sketches.power_sums import PowerSums
from weightscope.sketches.value_counts import ValueCounts

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from weightscope.sketches import Measure


def _edges(value: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return (np.nextafter(value, -np.inf) + value) / 2, (np.nextafter(value, np.inf) + value) / 2


def _bins(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """The upper 16 bits of float32: cells 2^-7 of their power of two wide, and a cell for zero."""
    step = 2.0 ** (np.floor(np.log2(np.abs(np.where(x == 0, 1.0, x)))) - 7)
    near = np.where(x == 0, 0.0, np.floor(np.abs(x) / step) * step)
    # cells are known by the edge towards zero: pairs of edges would be compared field by field
    inner, first, counts = np.unique(np.sign(x) * near, return_index=True, return_counts=True)
    outer = inner + (np.sign(x) * step)[first]
    low, high = np.minimum(inner, outer), np.maximum(inner, outer)
    order = np.argsort((low + high) / 2)
    return low[order], high[order], counts[order]


def _counts_of(values: ArrayLike, bins: bool = False) -> ValueCounts:
    x = np.asarray(values, np.float64).ravel()
    finite = x[np.isfinite(x)]
    value, counts = np.unique(finite, return_counts=True)
    low, high = _edges(value)
    power = PowerSums.of(value, counts)
    if bins:
        low, high, counts = _bins(finite)
        value = (low + high) / 2
    return ValueCounts(
        low,
        high,
        value,
        counts,
        power,
        not bins,
        int((finite == 0).sum()),
        0,
        int(np.isinf(x).sum()),
        int(np.isnan(x).sum()),
        finite.min(initial=np.inf),
        finite.max(initial=-np.inf),
    )


@pytest.fixture(scope="session")
def counts_of() -> Callable[..., ValueCounts]:
    """`counts_of(array)`: one cell per distinct value; with `bins=True` bins, exact power sums."""
    return _counts_of


def _stored_as(values: ArrayLike, dtype: str) -> ValueCounts:
    table, x = grid(dtype), np.sort(np.asarray(values, np.float64), axis=None)
    all_counts = np.bincount(np.searchsorted(table.high[:-1], x), minlength=len(table.value))
    used = np.flatnonzero(all_counts)
    value, counts = table.value[used], all_counts[used]
    return ValueCounts(
        table.low[used],
        table.high[used],
        value,
        counts,
        PowerSums.of(value, counts),
        zeros=int(counts[value == 0].sum()),
        minimum=value.min(initial=np.inf),
        maximum=value.max(initial=-np.inf),
    )


@pytest.fixture(scope="session")
def stored_as() -> Callable[..., ValueCounts]:
    """`stored_as(array, "BF16")`: the cells of the values rounded to a narrow type."""
    return _stored_as


def _taken(measure: Measure, w: NDArray[np.float64]) -> object:
    stored, state = torch.from_numpy(w)[None], measure.start(1, w.shape, "F64", "cpu")
    tile = Tile(stored, "F64", whole(w.shape), w.shape, long_side(w.shape), Scratch())
    while True:
        result = measure.finish(measure.add(state, tile))
        if not isinstance(result, Again):
            return result[0]
        state = result.state


def _sketched(w: ArrayLike, svd: bool = False) -> dict[Measure, object]:
    x, measure = np.array(w, np.float64), Decompose(svd)
    sketches = {m: _taken(m, x) for m in (measure, MarginSums(), Balanced((measure,)))}
    return {**sketches, Count(): _counts_of(x)}


@pytest.fixture(scope="session")
def sketched() -> Callable[..., dict[Measure, object]]:
    """`sketched(matrix)`: singular values (`svd=True`: by SVD), margins, values when balanced."""
    return _sketched


@pytest.fixture(scope="session")
def taken() -> Callable[[Measure, ArrayLike], object]:
    """`taken(measure, matrix)`: the sketch that one measure takes of a matrix of float64."""
    return lambda measure, w: _taken(measure, np.array(w, np.float64))
