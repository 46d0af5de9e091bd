"""Quantiles of counted cells, and the robust scale they give.

Where cells are exact values they equal those of the expanded sample; in wide bins a quantile stands as far into its bin
as its rank does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .value_counts import ValueCounts

IQR_OF_NORMAL = 1.349  # quartile distance of a Gaussian in sigma
WIDEST = 0.1  # sigma; means of 20 sigma and more put a float32 tensor in few bins


def quantile(counts: ValueCounts, q: float) -> float | None:
    """The q-quantile by linear interpolation between order statistics; equals numpy.quantile for exact cells."""
    n = int(counts.counts.sum())
    if n == 0:
        return None
    rank = q * (n - 1)
    below = min(int(rank), n - 1)
    a, b = _ordered(counts, np.array([below, min(below + 1, n - 1)]))
    return float(a + (b - a) * (rank - below))


def median(counts: ValueCounts) -> float | None:
    """The 0.5-quantile."""
    return quantile(counts, 0.5)


def robust_std(counts: ValueCounts) -> float | None:
    """Quartile distance / 1.349: sigma for a Gaussian, whatever stands in its tails; None in bins that are too wide."""
    if not resolved(counts):
        return None
    low, high = quantile(counts, 0.25), quantile(counts, 0.75)
    return None if low is None or high is None else (high - low) / IQR_OF_NORMAL


def resolved(counts: ValueCounts) -> bool:
    """Whether the cells show quantiles: exact values and constants do, bins if their mean width is within 0.1 std."""
    return spread_over_cells(counts, WIDEST)


def spread_over_cells(counts: ValueCounts, widest: float) -> bool:
    """Whether bins hold all weights and are at most so many std wide on average; always true of exact values."""
    if counts.exact or counts.minimum >= counts.maximum:
        return True
    if counts.minimum < counts.low[0] or counts.maximum > counts.high.max():
        return False  # float64 beyond the range of float32
    width = float(((counts.high - counts.low) * counts.counts).sum())
    return width <= widest * counts.power.std * counts.n


def _ordered(counts: ValueCounts, ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Order statistics by rank from 0: the cell's value, or within a bin as far as the rank is within its count."""
    upto = np.cumsum(counts.counts)
    cell = np.searchsorted(upto, ranks, side="right")
    if counts.exact:
        return counts.value[cell]
    share = (ranks + 0.5 - (upto - counts.counts)[cell]) / counts.counts[cell]
    inside = counts.low[cell] + (counts.high[cell] - counts.low[cell]) * share
    return np.clip(inside, counts.minimum, counts.maximum)
