"""Scores of rows and columns, from the table of scores in docs/statistics.md.

Moments of L = ln(sum of squares of a line) by the Laplace transform of the squares, on a grid of
u, with values grouped to 1% of their size.
"""

from __future__ import annotations

from functools import lru_cache
from math import log, pi, sqrt

import numpy as np
from scipy import special, stats

from ..case import Array, Case, NotCompared
from .definition import Definition
from .lines import _comparable, _lag, _mean_share, _near_mean, _spread, _spread_lines
from .outlying import _crossings, _gini

GROUP = 0.01  # width of a group in ln|w|
LEAST_VARIANCE = 1e-6
# Mean and central moments of ln E, E exponential.
EULER_MEAN = -float(np.euler_gamma)
VAR_LOG = pi**2 / 6
THIRD_LOG = -2 * float(special.zeta(3))
FOURTH_LOG = 3 * pi**4 / 20


def _one(case: Case) -> float:
    return 1.0


def _mean_share_score(case: Case, axis: int) -> float | None:
    """Over all orders of the elements: g is the unbiased excess kurtosis."""
    matrix, share = _comparable(case), _mean_share(case, axis)
    if matrix is None or share is None:
        return None
    m, size = matrix.shape[1 - axis], matrix.size
    if size < 4:
        raise NotCompared  # of four elements and more there is an unbiased kurtosis
    g = float(stats.kurtosis(matrix, axis=None, bias=False))
    variance = 2 * (m - 1) * (size - m) * (1 - g / size) / ((size - 1) ** 2 * (size + 1))
    if variance <= 1e-18:
        return None
    return (share - (m - 1) / (size - 1)) / sqrt(variance)


def _lag_score(case: Case, axis: int) -> float | None:
    lag = _lag(case, axis)
    return None if lag is None else lag * sqrt(case.values.size)


def _lag_tolerance(case: Case) -> float:
    return _near_mean(case) * sqrt(case.values.size)


def _groups(lines: Array) -> tuple[Array, Array]:
    """Squares of the elements over their mean, in groups of nearly equal size, and the shares."""
    squares = (lines**2).ravel()
    squares = squares / squares.mean()
    keys = np.full(squares.shape, -(10.0**9))
    keys[squares > 0] = np.floor(np.log(squares[squares > 0]) / 2 / GROUP)
    _, at, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.bincount(at, squares) / counts, counts / squares.size


def _moments(x: Array, share: Array, n: int) -> tuple[float, float, float]:
    """Var(L), the fourth central moment of L, and n Var(h) of sums of n elements.

    P(U > u) = E[exp(-e^u x)]^n for U = ln E - L. Moments are those of ln E - ln n, and integrals
    of what both distribution functions differ by, which are smooth: sums have all their digits.
    """
    u = np.arange(-log(n) - 40, -log(n) + 70, 0.1)
    u = u[np.exp(u) * x[x > 0].min() < 1e3]
    kernel = np.exp(-np.exp(u)[:, None] * x)
    each = kernel @ share
    simple = np.exp(-np.exp(u) * n)
    off = float((each**n - simple).sum()) * 0.1  # of the mean, from that of ln E - ln n

    def second(tail: Array) -> Array:
        """E (U - mean)^2, from P(U > u) in columns."""
        moved = 2 * (u - EULER_MEAN + log(n) - off)
        return VAR_LOG + off**2 + 0.1 * (moved @ (tail - simple[:, None]))

    moved = u - EULER_MEAN + log(n) - off
    variance = float(second(each[:, None] ** n)[0]) - VAR_LOG
    fourth = FOURTH_LOG - 4 * off * THIRD_LOG + 6 * off**2 * VAR_LOG + off**4
    fourth += 0.1 * float(4 * moved**3 @ (each**n - simple))
    fourth -= FOURTH_LOG + 6 * variance * VAR_LOG
    given = second(kernel * each[:, None] ** (n - 1))  # of U given one of the elements
    return variance, fourth, n * float(share @ (given - share @ given) ** 2)


@lru_cache(maxsize=64)
def _law(case: Case, axis: int) -> tuple[float, float]:
    """s and f of the spread of the lines: `axis` 1 for rows."""
    lines = _spread_lines(case)
    assert lines is not None
    m, n = lines.shape[1 - axis], lines.shape[axis]
    squares = lines**2
    flat = float(squares.var()) / float(squares.mean()) ** 2 / n
    f = m - 1.0
    if abs(lines.mean()) > 3 * lines.std() or flat <= LEAST_VARIANCE:
        return sqrt((1 - 1 / m) * flat / 4), f
    variance, fourth, of_elements = _moments(*_groups(lines), n)
    f = 2 * m * (1 - 1 / m) ** 2 * variance**2 / (fourth - variance**2 - of_elements)
    return sqrt((1 - 1 / m) * variance / 4), f


def _c(f: float) -> float:
    """The mean of sqrt(chi^2/f)."""
    return float(np.sqrt(2 / f) * np.exp(special.gammaln((f + 1) / 2) - special.gammaln(f / 2)))


def _even(case: Case) -> bool:
    lines = _spread_lines(case)
    return lines is None or float(np.ptp(lines**2)) == 0 or min(lines.shape) < 2


def _spread_iid(case: Case, axis: int) -> float | None:
    if _spread(case, axis) is None:
        return None
    if _even(case):
        raise NotCompared
    s, f = _law(case, axis)
    return s * _c(f)


def _spread_score(case: Case, axis: int) -> float | None:
    spread = _spread(case, axis)
    if spread is None:
        return None
    if _even(case):
        raise NotCompared
    s, f = _law(case, axis)
    c = _c(f)
    return (spread - s * c) / (s * sqrt(1 - c * c))


def _gini_score(case: Case, axis: int) -> float | None:
    """Binomial counts of n elements in each of m lines."""
    counts, gini = _crossings(case, axis), _gini(axis)(case)
    if counts is None or gini is None or case.matrix is None:
        return None
    m, n = len(counts), case.matrix.shape[axis]
    total = int(counts.sum())
    if total * (total - 1) / (2 * m) < 1.5:
        return None
    mu = total / m
    k = np.arange(n + 1)
    mass = stats.binom.pmf(k, n, mu / n)
    upto = np.cumsum(mass)
    mean = (m - 1) / m * float((upto * (1 - upto)).sum()) / mu
    # E|c - c'| given c: (c - mu) + 2 E max(c' - c, 0)
    above = np.concatenate([np.cumsum((1 - upto)[::-1])[::-1], [0.0]])[:-1]
    given = (k - mu) + 2 * above
    slope = float(mass @ (given * (k - mu))) / float(mass @ (k - mu) ** 2)
    rest = given - mass @ given - slope * (k - mu)
    variance = float(mass @ rest**2)
    return float((float(gini) - mean) / (sqrt(variance / m) / mu))


SIDES = (("row", 1), ("col", 0))
SPREAD_SCORES = tuple(
    Definition(
        f"{side}_spread_{kind}",
        lambda case, of=of, axis=axis: of(case, axis),
        tolerance,
        unit=_one,
        wide=0.02,
    )
    for side, axis in SIDES
    for kind, of, tolerance in (("iid", _spread_iid, 1e-3), ("score", _spread_score, 1e-2))
)
LINE_SCORES = (
    *SPREAD_SCORES,
    *(
        Definition(
            f"{side}_mean_share_score",
            lambda case, axis=axis: _mean_share_score(case, axis),
            1e-4,
            unit=_one,
        )
        for side, axis in SIDES
    ),
    *(
        Definition(
            f"lag_{side}_score",
            lambda case, axis=axis: _lag_score(case, axis),
            _lag_tolerance,
            unit=_one,
        )
        for side, axis in SIDES
    ),
)
GINI_SCORES = tuple(
    Definition(
        f"{side}_gini_score",
        lambda case, axis=axis: _gini_score(case, axis),
        1e-6,
        unit=_one,
        wide=0.05,
    )
    for side, axis in SIDES
)
