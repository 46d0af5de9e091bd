"""Shape of an element law without likelihood: beta from absolute moments, and a Weibull slope.

Both use |w| without removing the mean, as their sources do. An excess of exact zeros is left out
first, as for the fits; where zeros stand for weights near zero that are unknown, both are null. The
columns of `filters` belong to the same statistic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, isnan, lgamma, log
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...sketches import Count
from ...sketches.quantiles import resolved
from ..statistic import Evidence, Statistic
from .even_cells import NARROW, quantiles_of_size
from .excess_zeros import CENTRE_PRUNED, centre_is_pruned, fitted_weights
from .filters import tiny_share, trimmed
from .moments import dot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches.value_counts import ValueCounts

LEAST_BETA, MOST_BETA = 1e-3, 1e4  # range of the search for beta
LEAST_RHO = 4 / 3  # of a uniform law, beta = infinity
LATTICE = 1e-5  # mean width^2/12 in variances, from which rounding is taken out
WIDE_ZERO = 1e-3  # of the 0.9 quantile of |w|: a narrower cell of zero is a spike
WEIBULL_POINTS = 1000  # slope of a Gaussian within 1e-6 of its limit, 1.20543
COLUMNS = (
    Column(
        "beta_moment",
        "float",
        "shape of the generalised Gaussian from E w^2 / (E |w|)^2, mean not removed",
        "",
        "arXiv 2506.00486",
        version=3,
    ),
    Column(
        "weibull_k",
        "float",
        "Weibull slope of |w| over its middle 80% (Gaussian: 1.2054)",
        version=3,
    ),
    Column(
        "trimmed_std",
        "float",
        "std of the weights within 3 sigma (Gaussian: 0.98658 sigma)",
        "weight",
        "arXiv 2501.10661",
    ),
    Column(
        "trimmed_kurtosis",
        "float",
        "excess kurtosis of the same (Gaussian: -0.171)",
        "",
        "arXiv 2501.10661",
    ),
    Column("tiny_share", "float", "share of weights with |w| < std/1000", "", "arXiv 2501.10661"),
)


def beta_moment(counts: ValueCounts) -> float | None:
    """beta of a generalised Gaussian from rho = N sum(w^2)/(sum|w|)^2; the mean is not removed.

    Zeros in excess are left out. On a lattice (mean width^2 of the cells above 1.2e-4 variances)
    rounding is taken out of both sums: sum(w^2) loses sum(width^2)/12, and sum|w| gains a twelfth
    of the width of zero's cell for each zero.
    """
    if isnan(counts.std) or not resolved(counts):
        return None
    weights = fitted_weights(counts)
    squares = weights.power.about(0.0).s2
    total = dot(np.abs(weights.value), weights.counts)
    if total <= 0:
        return None
    width = weights.high - weights.low
    with np.errstate(over="ignore"):
        rounding = dot(width * width, weights.counts) / 12
    if LATTICE * weights.n * weights.std**2 < rounding < squares:
        squares -= rounding
        total += dot(width, np.where(weights.value == 0, weights.counts, 0)) / 12
    rho = weights.n * (squares / total / total)  # total**2 may overflow
    return beta_of_rho(rho)


def beta_of_rho(rho: float) -> float | None:
    """The beta with Gamma(1/b) Gamma(3/b)/Gamma(2/b)^2 = rho; None for rho <= 4/3.

    >>> round(beta_of_rho(2.0), 9)
    1.0
    """
    if not rho > LEAST_RHO:
        return None
    low, high = log(LEAST_BETA), log(MOST_BETA)
    target = log(rho)
    if not log_rho(exp(high)) < target < log_rho(exp(low)):
        return None
    for _ in range(60):  # log_rho falls with beta: bisection to the last bit
        middle = (low + high) / 2
        if log_rho(exp(middle)) > target:
            low = middle
        else:
            high = middle
    return exp(low)


def log_rho(beta: float) -> float:
    """ln rho of a generalised Gaussian: ln Gamma(1/b) + ln Gamma(3/b) - 2 ln Gamma(2/b).

    >>> round(exp(log_rho(0.5)), 5)
    3.33333
    """
    outer = lgamma(1 / beta) + lgamma(3 / beta)
    return outer - 2 * lgamma(2 / beta)


def weibull_k(counts: ValueCounts) -> float | None:
    """Weibull shape of |w|: slope of ln(-ln(1-F)) over ln|w| for F in 0.1..0.9 (Gaussian: 1.2054).

    Least squares over the 1,000 points F_i = 0.1 + 0.8 (i + 1/2)/1000: |w| is the value below which
    F_i N of the weights lie, spread evenly over their cells, where the cells of w and -w are one
    and zeros in excess are left out. None where one value fills the whole range of F or a spike of
    zeros a part of it, and where bins are too wide.
    """
    if not resolved(counts):
        return None
    weights = fitted_weights(counts)
    # midpoints of 1,000 equal parts of 0.1..0.9
    share = 0.1 + 0.8 * (np.arange(WEIBULL_POINTS) + 0.5) / WEIBULL_POINTS
    size = _size_quantiles(weights, share)
    if size is None:
        return None
    x = np.log(size)
    y = np.log(-np.log1p(-share))
    x -= x.mean()  # slope = cov(x, y) / var(x); y needs no centring then
    return dot(x, y) / dot(x, x)


def _size_quantiles(counts: ValueCounts, share: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """|w| at these shares; None where one value or a spike of zeros fills them."""
    if counts.steps is not None:
        narrow = NARROW * counts.std
        return quantiles_of_size(counts.low, counts.high, counts.counts / counts.n, share, narrow)
    cells = _folded(counts)
    if not len(cells.count):
        return None
    upto = np.cumsum(cells.count)
    rank = share * upto[-1]
    at = np.searchsorted(upto, rank)
    smallest, largest = cells.size[at[0]], cells.size[at[-1]]
    spike = smallest == 0 and cells.high[0] < WIDE_ZERO * largest
    if smallest == largest or spike:
        return None
    before = upto - cells.count
    into = (rank - before[at]) / cells.count[at]  # position in the cell, 0 to 1
    low, high = cells.low[at], cells.high[at]
    return np.asarray(low + (high - low) * into)


@dataclass(frozen=True, eq=False)
class _Folded:
    """Cells of |w| in ascending order."""

    size: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]


def _folded(counts: ValueCounts) -> _Folded:
    """The cells of |w|: those of negative values are mirrored."""
    negative = counts.value < 0
    size = np.abs(counts.value)
    low = np.where(negative, -counts.high, counts.low)
    high = np.where(negative, -counts.low, counts.high)
    low = np.maximum(low, 0.0)  # the cell of zero, folded
    size, first = np.unique(size, return_inverse=True)
    # The cells of w and -w are one, so that W and -W have one slope.
    count = np.zeros(len(size), np.int64)
    np.add.at(count, first, counts.counts)
    lowest, highest = np.full(len(size), np.inf), np.zeros(len(size))
    np.minimum.at(lowest, first, low)
    np.maximum.at(highest, first, high)
    return _Folded(size, lowest, highest, count)


def _shape_columns(evidence: Evidence) -> Mapping[str, object]:
    counts = evidence.sketches[Count()]
    values: dict[str, object] = {"tiny_share": tiny_share(counts), **trimmed(counts)}
    if centre_is_pruned(counts):
        return values | {"beta_moment": None, "weibull_k": None, "notes": (CENTRE_PRUNED,)}
    return values | {"beta_moment": beta_moment(counts), "weibull_k": weibull_k(counts)}


SHAPE = Statistic(COLUMNS, frozenset({Count()}), _shape_columns, pools=True)
