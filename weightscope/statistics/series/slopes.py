"""The Theil-Sen line: the median slope of all pairs of points, with Sen's 95% interval.

A median ignores up to 29% of wild points, where a least-squares line follows a single one. The
interval holds for any law of the errors, since it counts pairs that rise and fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Any

from ...columns import Column
from ...lazy import numpy as np
from ...lazy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 0.95  # of the interval
FEW = 64  # points whose pairs are remembered
MOST = 2000  # points of a line: all pairs of 100,000 exceed any memory
COLUMNS = (
    Column(
        "slope",
        "float",
        "Theil-Sen slope: median change of the statistic per layer",
        "1/layer",
        "scipy.stats.theilslopes",
    ),
    Column(
        "slope_low",
        "float",
        "lower end of the 95% interval of the slope",
        "1/layer",
        "scipy.stats.theilslopes",
    ),
    Column(
        "slope_high",
        "float",
        "upper end of the 95% interval of the slope",
        "1/layer",
        "scipy.stats.theilslopes",
    ),
)
LOGLOG = Column(
    "loglog",
    "float",
    "Theil-Sen slope of log value on log(layer + 1): -0.5 for 1/sqrt(layer + 1)",
    "",
    "scipy.stats.theilslopes",
)


@dataclass(frozen=True)
class Line:
    """A slope and its interval, in units of y over x."""

    slope: float
    low: float
    high: float


def theil_sen(x: Sequence[float], y: Sequence[float]) -> Line:
    """The median of (y_j - y_i)/(x_j - x_i) over all pairs i < j, and its interval by Sen (1968).

    With n points, N pairs and s^2 = (n (n - 1)(2n + 5) - sum over ties t (t - 1)(2t + 5))/18 the
    ends are the slopes of rank (N -+ 1.96 s)/2. `x` increases. Equals scipy.stats.theilslopes; of
    more than 2000 points that of 2000, evenly spaced.

    >>> theil_sen([0, 1, 3], [1.0, 2.0, 4.0]).slope
    1.0
    """
    layers = _thinned(x)
    values = _thinned(y)
    points = len(values)
    slopes = _slopes(layers, values)
    pairs = len(slopes)
    spread = sqrt((points * (points - 1) * (2 * points + 5) - _tied(values)) / 18)
    reach = _quantile() * spread
    first = max(round((pairs - reach) / 2) - 1, 0)
    last = min(round((pairs + reach) / 2), pairs - 1)
    ranked = np.partition(slopes, (first, last))
    return Line(float(np.median(slopes)), float(ranked[first]), float(ranked[last]))


def _tied(values: NDArray[Any]) -> int:
    """The sum over ties t of t (t - 1)(2t + 5)."""
    if len(set(values.tolist())) == len(values):
        return 0
    _, ties = np.unique(values, return_counts=True)
    return int((ties * (ties - 1) * (2 * ties + 5)).sum())


@cache
def _quantile() -> float:
    """The normal quantile at the ends of the interval."""
    return float(special.ndtri((1 + LEVEL) / 2))


def _thinned(values: Sequence[float]) -> NDArray[Any]:
    """All values, or MOST of them at even distances, with the first and the last."""
    every = np.asarray(values, np.float64)
    if len(every) <= MOST:
        return every
    kept = np.linspace(0, len(every) - 1, MOST).round().astype(np.int64)
    thinned: NDArray[Any] = every[kept]
    return thinned


def _slopes(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """The slopes of all pairs, by their distance in the series."""
    if len(x) <= FEW:
        right, left = _pairs(len(x))
        return np.asarray((y[right] - y[left]) / (x[right] - x[left]))
    by_distance = []
    for distance in range(1, len(x)):
        rise = y[distance:] - y[:-distance]
        run = x[distance:] - x[:-distance]
        by_distance.append(rise / run)
    return np.concatenate(by_distance)


@lru_cache(maxsize=FEW)
def _pairs(count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The right and left places of all pairs of points, by their distance."""
    left = np.concatenate([np.arange(count - distance) for distance in range(1, count)])
    distance = np.repeat(np.arange(1, count), np.arange(count - 1, 0, -1))
    return left + distance, left


def loglog(layers: Sequence[float], values: Sequence[float]) -> float | None:
    """The Theil-Sen slope of log value on log(layer + 1); None where a value is not positive.

    >>> round(loglog([0, 1, 2], [1.0, 2**-0.5, 3**-0.5]), 6)
    -0.5
    """
    if min(values) <= 0:
        return None
    x = np.log1p(_thinned(layers))
    y = np.log(_thinned(values))
    return float(np.median(_slopes(x, y)))
