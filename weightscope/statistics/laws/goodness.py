"""Distances of a law from the weights: effect sizes, since millions of weights make p-values 0.

`ks` and `w1` compare distribution functions at cell edges, so that rounding to a narrow type costs
nothing; `kl_bits` compares 256 cells of equal fitted probability, minus the bias that a finite
sample has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import log
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .law import centre_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells
    from .edges import Edges
    from .law import Law, Params

BINS = 256
TABLE = 8192  # points: above, a costly distribution function is tabulated
THIN = 1e-280  # probability of a cell below which cdf has lost its digits: 36 sigma out
THIN_ON_THE_RIGHT = 1e-10  # the same where 1 - cdf is not available as a mirrored cdf


@dataclass(frozen=True)
class Goodness:
    """sup|F_emp - F|, Wasserstein-1 in std, and bits per weight lost against the histogram."""

    ks: float
    w1: float
    kl_bits: float


def goodness(edges: Edges, law: Law, params: Params, n: int) -> Goodness:
    """All three, from one evaluation of the distribution function."""
    cdf = _cdf_at_edges(edges, law, params)
    gap_before = edges.before - cdf
    gap_after = gap_before
    if edges.after is not edges.before:
        gap_after = edges.after - cdf
    # after >= before: the largest positive gap is after an edge, the largest negative one before
    ks = max(float(gap_after[edges.real].max()), -float(gap_before[edges.real].min()))
    w1 = area(edges.width, gap_after[:-1], gap_before[1:])
    return Goodness(ks, w1, _lost_bits(edges, cdf, n))


def _cdf_at_edges(edges: Edges, law: Law, params: Params) -> NDArray[np.float64]:
    """F at the edges; a costly one is interpolated linearly on a grid of 0.005 std (to 1e-6)."""
    x = edges.x
    if not law.costly or len(x) <= TABLE:
        return np.asarray(law.cdf(x, params))
    grid = edges.median + _grid()
    beyond_grid = x[(x < grid[0]) | (x > grid[-1])]
    ends = [x[0], x[-1]]
    grid = np.sort(np.concatenate((grid, beyond_grid, ends)))
    return np.interp(x, grid, law.cdf(grid, params))


@cache
def _grid() -> NDArray[np.float64]:
    """Steps of 1/64 of the distance from 1e-6 to 0.32 std, and of 0.005 std to 8."""
    near = np.geomspace(1e-6, 0.32, 812)
    wide = np.arange(0.325, 8.0, 0.005)
    right = np.concatenate((near, wide))
    return np.concatenate((-right[::-1], [0.0], right))


def log_likelihood(cells: Cells, law: Law, params: Params) -> float:
    """Nats per weight: ln(F(high) - F(low)) of wide cells, ln density + ln width of narrow ones."""
    k = cells.narrow
    total = cells.log_width + float(cells.p[:k] @ law.logpdf(cells.z[:k], params))
    low, high, value, share = cells.wide
    if not len(low):
        return total
    mass = _mass_between(low, high, law, params)
    thin = mass < (THIN if law.symmetric else THIN_ON_THE_RIGHT)
    logs = np.log(np.where(thin, 1.0, mass))
    if thin.any():
        logs[thin] = law.logpdf(value[thin], params) + np.log(high[thin] - low[thin])
    return total + float(share @ logs)


def _mass_between(
    low: NDArray[np.float64], high: NDArray[np.float64], law: Law, params: Params
) -> NDArray[np.float64]:
    """F(high) - F(low); right of a symmetric law's centre that of the mirrored cell.

    The left tail of F has small values, whose differences keep their digits; the right tail is
    close to 1.
    """
    if law.symmetric:
        centre = centre_of(law, params)
        right = low + high > 2 * centre
        mirrored_low, mirrored_high = 2 * centre - high, 2 * centre - low
        low = np.where(right, mirrored_low, low)
        high = np.where(right, mirrored_high, high)
    return law.cdf(high, params) - law.cdf(low, params)


def area(width: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Integral of |gap|, straight from a to b; where the sign changes, two triangles."""
    total = np.abs(a) + np.abs(b)
    cross = np.flatnonzero(a * b < 0)
    total[cross] = (a[cross] ** 2 + b[cross] ** 2) / total[cross]
    # not `@`, which wakes BLAS threads on long arrays
    return float(np.einsum("i,i->", total, width)) / 2


def _lost_bits(edges: Edges, cdf: NDArray[np.float64], n: int) -> float:
    """sum p log2(256 p) over K cells of fitted probability 1/256, minus (K - 1)/(2 N ln 2).

    The share of a stored cell that spans several of these is divided as F is.
    """
    levels = np.arange(1, BINS) / BINS
    below = np.interp(levels, cdf, edges.middle, left=0.0, right=1.0)
    p = np.diff(below, prepend=0.0, append=1.0)
    p = p[p > 0]
    divergence = float(p @ np.log2(BINS * p))
    bias = (min(BINS, edges.cells) - 1) / (2 * n * log(2))
    return divergence - bias
