"""Quantiles of counted cells, and the robust scale computed from them.

For cells of exact values they equal the quantiles of the expanded sample; inside a wide bin the
quantile is interpolated by rank.
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
    """The q-quantile, interpolated linearly between order statistics.

    Equals numpy.quantile for exact cells.
    """
    n = int(counts.counts.sum())
    if n == 0:
        return None
    rank = q * (n - 1)
    below = min(int(rank), n - 1)
    above = min(below + 1, n - 1)
    a, b = _ordered(counts, np.array([below, above]))
    return float(a + (b - a) * (rank - below))


def median(counts: ValueCounts) -> float | None:
    """The 0.5-quantile."""
    return quantile(counts, 0.5)


def robust_std(counts: ValueCounts) -> float | None:
    """Quartile distance / 1.349: sigma for a Gaussian, whatever its tails; None in wide bins."""
    if not resolved(counts):
        return None
    low, high = quantile(counts, 0.25), quantile(counts, 0.75)
    if low is None or high is None:
        return None
    return (high - low) / IQR_OF_NORMAL


def resolved(counts: ValueCounts) -> bool:
    """Whether cells resolve quantiles: exact values, a constant, bins of mean width <= 0.1 std."""
    return spread_over_cells(counts, WIDEST)


def spread_over_cells(counts: ValueCounts, widest: float) -> bool:
    """Whether bins contain all weights and have a mean width of at most `widest` std.

    Always true for exact values.
    """
    if counts.exact or counts.minimum >= counts.maximum:
        return True
    if counts.minimum < counts.low[0] or counts.maximum > counts.high.max():
        return False  # float64 beyond the range of float32
    widths = counts.high - counts.low
    total = float((widths * counts.counts).sum())
    return total <= widest * counts.power.std * counts.n


def _ordered(counts: ValueCounts, ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Order statistics by rank from 0: the cell's value, or interpolated by rank inside a bin."""
    upto = np.cumsum(counts.counts)
    cell = np.searchsorted(upto, ranks, side="right")
    if counts.exact:
        return counts.value[cell]
    before = (upto - counts.counts)[cell]
    share = (ranks + 0.5 - before) / counts.counts[cell]
    low, high = counts.low[cell], counts.high[cell]
    inside = low + (high - low) * share
    return np.clip(inside, counts.minimum, counts.maximum)
