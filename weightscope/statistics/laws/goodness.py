"""How far a law is from the weights: effect sizes, since with millions of weights every p-value is 0.

`ks` and `w1` compare distribution functions at cell edges, so that rounding to a narrow type costs nothing;
`kl_bits` compares 256 cells of equal fitted probability, minus the bias that a finite sample has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import log
from typing import TYPE_CHECKING, Literal

from ...lazy import numpy as np
from .law import centre_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells
    from .law import Law, Params

BINS = 256
STEP = 0.05  # std between knots of w1 where no cell edge is near
FAR = 1e6  # std: the tails of w1 end there (nu = 1 has no first moment)
ATOM = 1e-6  # std: a cell that narrow is one point with a jump
TABLE = 8192  # points: above, a costly distribution function is tabulated


@dataclass(frozen=True, eq=False)
class Edges:
    """The empirical distribution function at cell edges and knots: even inside a cell, flat between cells."""

    x: NDArray[np.float64]
    before: NDArray[np.float64]  # the share below x, and up to x: they differ at atoms
    after: NDArray[np.float64]
    middle: NDArray[np.float64]  # their mean
    width: NDArray[np.float64]  # distance to the next x
    median: float
    cells: int
    real: NDArray[np.bool_]  # edges of cells; the others are knots: a cell's even split is a guess


@dataclass(frozen=True)
class Goodness:
    """sup|F_emp - F|, Wasserstein-1 in std, and bits per weight lost against the histogram."""

    ks: float
    w1: float
    kl_bits: float


def edges_of(cells: Cells) -> Edges:
    """Sorted edges; where cells of different types overlap, an edge has half of what may lie below it."""
    below = np.minimum(np.concatenate(([0.0], np.cumsum(cells.share))), 1.0)
    below[-1] = 1.0
    if float((cells.high - cells.low).max()) < ATOM:
        return _with_knots(cells, (cells.low + cells.high) / 2, below[:-1], below[1:])
    x = np.stack((cells.low, cells.high), 1).ravel()
    share = np.stack((below[:-1], below[1:]), 1).ravel()
    if (x[1:] < x[:-1]).any():
        x = np.sort(x)
        share = (
            _below(cells.low, cells.share, x, "left") + _below(cells.high, cells.share, x, "right")
        ) / 2
    new = np.concatenate(([True], x[1:] != x[:-1]))
    share = share[new]
    return _with_knots(cells, x[new], share, share)


def goodness(edges: Edges, law: Law, params: Params, n: int) -> Goodness:
    """All three, from one evaluation of the distribution function."""
    fitted = _distribution(edges, law, params)
    before = edges.before - fitted
    after = before if edges.after is edges.before else edges.after - fitted
    ks = max(float(after[edges.real].max()), -float(before[edges.real].min()))  # after >= before
    return Goodness(ks, _area(edges.width, after[:-1], before[1:]), _lost_bits(edges, fitted, n))


def _distribution(edges: Edges, law: Law, params: Params) -> NDArray[np.float64]:
    """F at the edges; a costly one on a grid of 0.005 std about the median, with straight lines between (1e-6)."""
    if not law.costly or len(edges.x) <= TABLE:
        return np.asarray(law.cdf(edges.x, params))
    grid = edges.median + _grid()
    inner = edges.x[(edges.x < grid[0]) | (edges.x > grid[-1])]
    grid = np.sort(np.concatenate((grid, inner, [edges.x[0], edges.x[-1]])))
    return np.interp(edges.x, grid, law.cdf(grid, params))


def log_likelihood(cells: Cells, law: Law, params: Params) -> float:
    """Nats per weight: ln(F(high) - F(low)) of wide cells, ln density + ln width of narrow ones."""
    k = cells.narrow
    total = cells.log_width + float(cells.p[:k] @ law.logpdf(cells.z[:k], params))
    low, high, value, share = cells.wide
    if not len(low):
        return total
    # Right of the centre the mirror image: differences of small numbers keep their digits.
    centre = centre_of(params)
    right = low + high > 2 * centre
    a, b = np.where(right, 2 * centre - high, low), np.where(right, 2 * centre - low, high)
    mass = law.cdf(b, params) - law.cdf(a, params)
    thin = mass < 1e-280  # 36 sigma out: the density at the value, times the width
    logs = np.log(np.where(thin, 1.0, mass))
    if thin.any():
        logs[thin] = law.logpdf(value[thin], params) + np.log(high[thin] - low[thin])
    return total + float(share @ logs)


def _below(
    edge: NDArray[np.float64],
    share: NDArray[np.float64],
    x: NDArray[np.float64],
    side: Literal["left", "right"],
) -> NDArray[np.float64]:
    """The share of cells whose `edge` lies below x."""
    order = np.argsort(edge, kind="stable")
    total = np.concatenate(([0.0], np.cumsum(share[order])))
    return np.minimum(total, 1.0)[np.searchsorted(edge[order], x, side)]


def _with_knots(
    cells: Cells, x: NDArray[np.float64], before: NDArray[np.float64], after: NDArray[np.float64]
) -> Edges:
    """Knots every 0.05 std to 8 and 5% apart out to FAR, where edges leave room for them."""
    tail = np.geomspace(8.0, max(FAR, abs(x[0]), abs(x[-1])) * 1.1, 250)
    knots = np.concatenate((-tail[::-1], np.arange(-8.0, 8.0, STEP), tail))
    at = np.searchsorted(x, knots)
    room = np.concatenate(([np.inf], np.diff(x), [np.inf]))[at] > STEP / 4
    at, knots = at[room], knots[room]
    ends = np.concatenate(([x[0] - 1], x, [x[-1] + 1]))
    left, right = np.concatenate(([0.0], after))[at], np.concatenate((before, [1.0]))[at]
    share = left + np.clip((knots - ends[at]) / (ends[at + 1] - ends[at]), 0.0, 1.0) * (
        right - left
    )
    real = np.insert(np.ones(len(x), np.bool_), at, False)
    x, lower = np.insert(x, at, knots), np.insert(before, at, share)
    if after is before:
        return Edges(x, lower, lower, lower, np.diff(x), cells.median, len(cells.share), real)
    upper = np.insert(after, at, share)
    return Edges(
        x, lower, upper, (lower + upper) / 2, np.diff(x), cells.median, len(cells.share), real
    )


@cache
def _grid() -> NDArray[np.float64]:
    """Steps of 1/64 of the distance from 1e-6 to 0.32 std, and of 0.005 std to 8."""
    half = np.concatenate((np.geomspace(1e-6, 0.32, 812), np.arange(0.325, 8.0, 0.005)))
    return np.concatenate((-half[::-1], [0.0], half))


def _area(width: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Integral of |gap|, straight from a to b; where the sign changes, two triangles."""
    total = np.abs(a) + np.abs(b)
    cross = np.flatnonzero(a * b < 0)
    total[cross] = (a[cross] ** 2 + b[cross] ** 2) / total[cross]
    return (
        float(np.einsum("i,i->", total, width)) / 2
    )  # not `@`: on long arrays it wakes BLAS threads


def _lost_bits(edges: Edges, fitted: NDArray[np.float64], n: int) -> float:
    """sum p log2(256 p) over cells of fitted probability 1/256, minus (K - 1)/(2 N ln 2); stored cells split as F."""
    inner = np.interp(np.arange(1, BINS) / BINS, fitted, edges.middle, left=0.0, right=1.0)
    p = np.diff(inner, prepend=0.0, append=1.0)
    p = p[p > 0]
    return float(p @ np.log2(BINS * p)) - (min(BINS, edges.cells) - 1) / (2 * n * log(2))
