"""Spearman's rank correlation of the values with the layer index."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from typing import TYPE_CHECKING, Any

from ...columns import Column
from ...lazy import numpy as np
from ...lazy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = (
    Column(
        "spearman",
        "float",
        "rank correlation of the statistic with the layer index",
        "",
        "scipy.stats.spearmanr",
    ),
    Column(
        "spearman_p",
        "float",
        "two-sided p of that correlation: alone it gives false alarms over tiny changes",
        "",
        "scipy.stats.spearmanr",
    ),
)


def spearman(x: Sequence[float], y: Sequence[float]) -> tuple[float | None, float | None]:
    """The correlation r of the ranks, and its p from t = r sqrt((n - 2)/(1 - r^2)).

    Ties have their mean rank. Both are None below 3 points and for a constant. Equals
    scipy.stats.spearmanr.

    >>> spearman([0, 1, 2, 3], [1.0, 2.0, 3.0, 5.0])
    (1.0, 0.0)
    """
    points = len(y)
    if points < 3 or min(y) == max(y):
        return None, None
    r = float(np.corrcoef(_ranks(x), _ranks(y))[0, 1])
    freedom = points - 2
    rest = (1 + r) * (1 - r)
    t = inf
    if rest > 0:
        t = abs(r) * sqrt(freedom / rest)
    p = 2 * float(special.stdtr(freedom, -t))
    return r, p


def _ranks(values: Sequence[float]) -> NDArray[Any]:
    """Ranks from 1, of equal values their mean."""
    _, place, ties = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(ties)
    ranks: NDArray[Any] = (last - (ties - 1) / 2)[place]
    return ranks
