"""Moments, quantiles and L-moments of counted cells.

Mean, std, skew and kurtosis come from the exact power sums, never from cells. Quantiles and L-moments come from the
cells: where cells are exact values they equal those of the expanded sample; in wide bins a quantile stands as far
into its bin as its rank does, and L-moments use the middle of the bin (2^-8 of a value at most).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..heavy import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..sketches.value_counts import ValueCounts

IQR_OF_NORMAL = 1.349                           # quartile distance of a Gaussian in sigma
WIDEST = 0.1                                    # sigma; means of 20 sigma and more put a float32 tensor in few bins


def moments(counts: ValueCounts) -> Mapping[str, float | None]:
    """Mean, population std, skew m3/m2^1.5, excess kurtosis m4/m2^2 - 3, min and max of the finite values.

    A constant has std 0 and neither skew nor kurtosis. Equals numpy.mean, numpy.std, scipy.stats.skew and kurtosis.
    """
    if not counts.n:
        return dict.fromkeys(("mean", "std", "skew", "kurtosis", "min", "max"))
    power, varies = counts.power, counts.minimum < counts.maximum
    return {
        "mean": _number(power.mean) if varies else counts.minimum,
        "std": _number(power.std) if varies else 0.0,    # sums of a constant leave rounding, not spread
        "skew": _number(power.skew) if varies else None,
        "kurtosis": _number(power.kurtosis) if varies else None,
        "min": counts.minimum,
        "max": counts.maximum,
    }


def l_kurtosis(counts: ValueCounts) -> float | None:
    """L-kurtosis l4/l2 (Gaussian: 0.1226), from the unbiased probability-weighted moments of the sample.

    With x the cells in order, A_i the weights up to cell i and G_r = C(A, r+1)/C(N, r+1), summing by parts gives
    l2 = sum dx (G_0 - G_1) and l4 = sum dx (G_0 - 6 G_1 + 10 G_2 - 5 G_3); None below 4 weights or for a constant.
    """
    n = int(counts.counts.sum())
    if n < 4 or not resolved(counts):
        return None
    a = np.cumsum(counts.counts)[:-1].astype(np.float64)
    dx = np.diff(counts.value)
    g0 = a / n
    g1 = g0 * (a - 1) / (n - 1)
    g2 = g1 * (a - 2) / (n - 2)
    g3 = g2 * (a - 3) / (n - 3)
    l2, l4 = dot(dx, g0 - g1), dot(dx, g0 - 6 * g1 + 10 * g2 - 5 * g3)
    return l4 / l2 if l2 > 0 else None


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


def resolved(counts: ValueCounts) -> bool:
    """Whether the cells show quantiles: exact values and constants do, bins if their mean width is within 0.1 std."""
    return spread_over_cells(counts, WIDEST)


def spread_over_cells(counts: ValueCounts, widest: float) -> bool:
    """Whether bins hold all weights and are at most so many std wide on average; always true of exact values."""
    if counts.exact or counts.minimum >= counts.maximum:
        return True
    if counts.minimum < counts.low[0] or counts.maximum > counts.high.max():
        return False                            # float64 beyond the range of float32
    return dot(counts.high - counts.low, counts.counts) <= widest * counts.power.std * counts.n


def robust_std(counts: ValueCounts) -> float | None:
    """Quartile distance / 1.349: sigma for a Gaussian, whatever stands in its tails; None in bins that are too wide."""
    if not resolved(counts):
        return None
    low, high = quantile(counts, 0.25), quantile(counts, 0.75)
    return None if low is None or high is None else (high - low) / IQR_OF_NORMAL


def dot(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Sum of products, the same on any number of threads: `a @ b` rounds by how many BLAS takes, and waits for them."""
    return float((a * b).sum())


def _ordered(counts: ValueCounts, ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Order statistics by rank from 0: the cell's value, or within a bin as far as the rank is within its count."""
    upto = np.cumsum(counts.counts)
    cell = np.searchsorted(upto, ranks, side="right")
    if counts.exact:
        return counts.value[cell]
    share = (ranks + 0.5 - (upto - counts.counts)[cell]) / counts.counts[cell]
    inside = counts.low[cell] + (counts.high[cell] - counts.low[cell]) * share
    return np.clip(inside, counts.minimum, counts.maximum)


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
