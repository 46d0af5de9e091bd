"""Two readings of an element law's shape that need no likelihood: beta from absolute moments, and a Weibull slope.

Both look at |w| and remove no mean, as their sources do. An excess of exact zeros is left out first, as for the fits.
The columns of `filters` belong to the same statistic.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, isnan, lgamma, log
from typing import TYPE_CHECKING, Any

from ...columns import Column
from ...lazy import numpy as np
from ...sketches import Count
from ...sketches.quantiles import resolved
from ..statistic import Evidence, Statistic
from .excess_zeros import excess_zeros
from .filters import tiny_share, trimmed
from .moments import dot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches.value_counts import ValueCounts

WEIBULL_POINTS = 1000  # slope of a Gaussian within 1e-6 of its limit, 1.20543
COLUMNS = (
    Column(
        "beta_moment",
        "float",
        "shape of the generalised Gaussian from E w^2 / (E |w|)^2, mean not removed",
        "",
        "arXiv 2506.00486",
    ),
    Column("weibull_k", "float", "Weibull slope of |w| over its middle 80% (Gaussian: 1.2054)"),
    Column(
        "trimmed_std",
        "float",
        "std of what lies within 3 sigma (Gaussian: 0.98658 sigma)",
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
    """beta of a generalised Gaussian from rho = N sum(w^2)/(sum|w|)^2, arXiv 2506.00486; no mean removal."""
    total = (
        dot(np.abs(counts.value), counts.counts)
        if resolved(counts) and not isnan(counts.std)
        else 0.0
    )
    squares = counts.power.about(0.0).s2
    return (
        beta_of_rho(counts.n * (squares / total / total)) if total > 0 else None
    )  # total**2 may leave float64


def beta_of_rho(rho: float) -> float | None:
    """The beta with Gamma(1/b) Gamma(3/b)/Gamma(2/b)^2 = rho; None for rho <= 4/3, where no beta is left.

    >>> round(beta_of_rho(2.0), 9)
    1.0
    """
    low, high = log(1e-3), log(1e4)
    target = log(rho) if rho > 4 / 3 else -1.0
    if not log_rho(exp(high)) < target < log_rho(exp(low)):
        return None
    for _ in range(60):  # log_rho falls with beta: bisection to the last bit
        middle = (low + high) / 2
        low, high = (middle, high) if log_rho(exp(middle)) > target else (low, middle)
    return exp(low)


def log_rho(beta: float) -> float:
    """ln rho of a generalised Gaussian: ln Gamma(1/b) + ln Gamma(3/b) - 2 ln Gamma(2/b).

    >>> round(exp(log_rho(0.5)), 5)
    3.33333
    """
    return lgamma(1 / beta) + lgamma(3 / beta) - 2 * lgamma(2 / beta)


def weibull_k(counts: ValueCounts) -> float | None:
    """Weibull shape of |w|: slope of ln(-ln(1-F)) on ln|w| at 1000 F uniform over 0.1..0.9 (Gaussian: 1.2054).

    Quantiles stand as far into their cell as their rank does; None where one size holds all of them, or zero some, and
    in bins that are too wide.
    """
    if not resolved(counts):
        return None
    size, low, high, count = _folded(counts)
    share = 0.1 + 0.8 * (np.arange(WEIBULL_POINTS) + 0.5) / WEIBULL_POINTS
    upto = np.cumsum(count)
    if not len(count):
        return None
    cell = np.searchsorted(upto, share * upto[-1])
    if size[cell[0]] in (0.0, size[cell[-1]]):
        return None
    into = (share * upto[-1] - (upto - count)[cell]) / count[cell]
    x = np.log(low[cell] + (high[cell] - low[cell]) * into)
    y = np.log(-np.log1p(-share))
    x -= x.mean()
    return dot(x, y) / dot(x, x)


def _folded(counts: ValueCounts) -> tuple[NDArray[Any], ...]:
    """Size, low, high and count of the cells of |w| in ascending order, those of negative values mirrored."""
    negative = counts.value < 0
    low = np.where(negative, -counts.high, counts.low)
    high = np.where(negative, -counts.low, counts.high)
    order = np.argsort(np.abs(counts.value), kind="stable")
    return np.abs(counts.value)[order], low[order], high[order], counts.counts[order]


def _of(evidence: Evidence) -> Mapping[str, object]:
    counts = evidence.sketches[Count()]
    dense = counts.without_zeros() if excess_zeros(counts) else counts
    return {
        "beta_moment": beta_moment(dense),
        "weibull_k": weibull_k(dense),
        "tiny_share": tiny_share(counts),
        **trimmed(counts),
    }


SHAPE = Statistic(COLUMNS, frozenset({Count()}), _of, pools=True)
