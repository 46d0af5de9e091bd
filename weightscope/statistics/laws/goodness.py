"""Distances of a law from the weights: effect sizes, since millions of weights make p-values 0.

`ks` and `w1` compare distribution functions at cell edges, so that rounding to a narrow type costs
nothing; `kl_bits` compares groups of cells of equal fitted probability, minus the bias of a finite
sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import log
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .edges import as_spread_by
from .law import centre_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells
    from .edges import Edges
    from .law import Law, Params

GROUPS = 256  # at most
EACH = 8  # weights per group, where they are few
FEWEST = 100  # weights; below, the mean over Gaussian samples is not within 0.005 bits of 0
LEAST = 1e-3  # of the usual share of a group: a smaller one joins its neighbour
TABLE = 8192  # points: above, a costly distribution function is tabulated
THIN = 1e-280  # probability of a cell below which cdf has lost its digits: 36 sigma out
THIN_ON_THE_RIGHT = 1e-10  # the same where 1 - cdf is not available as a mirrored cdf


@dataclass(frozen=True)
class Goodness:
    """sup|F_emp - F|, Wasserstein-1 in std, and bits per weight lost against the histogram."""

    ks: float
    w1: float
    kl_bits: float | None  # None where the weights are too few


def goodness(edges: Edges, law: Law, params: Params, n: int) -> Goodness:
    """All three, from one evaluation of the distribution function."""
    cdf = _cdf_at_edges(edges, law, params)
    edges = as_spread_by(edges, cdf)
    gap_before = edges.before - cdf
    gap_after = gap_before
    if edges.after is not edges.before:
        gap_after = edges.after - cdf
    # after >= before: the largest positive gap is after an edge, the largest negative one before
    ks = max(float(gap_after[edges.real].max()), -float(gap_before[edges.real].min()))
    w1 = area(edges.width, gap_after[:-1], gap_before[1:])
    return Goodness(ks, w1, _lost_bits(edges, cdf, n, len(params)))


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
    total = cells.log_width
    if k:
        total += float(cells.p[:k] @ law.logpdf(cells.z[:k], params))
    low, high, value, share = cells.wide
    if not len(low):
        return total
    mass = _mass_between(low, high, law, params)
    thin = mass < (THIN if law.symmetric else THIN_ON_THE_RIGHT)
    if not thin.any():
        return total + float(share @ np.log(mass))
    logs = np.log(np.where(thin, 1.0, mass))
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
        twice = 2 * centre_of(law, params)
        right = low + high > twice
        mirrored_low, mirrored_high = twice - high, twice - low
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


def _lost_bits(edges: Edges, cdf: NDArray[np.float64], n: int, parameters: int) -> float | None:
    """sum p log2(p/q) over groups of whole cells, less the mean for a true law; None below FEWEST.

    q is the fitted probability of a group and p its share. The mean is (groups - 1 - parameters)/
    (2 N ln 2), since a fit absorbs one group per parameter, plus the next term of its series,
    (sum 1/q - 1)/(12 N^2 ln 2).
    """
    if n < FEWEST:
        return None
    q, p = _groups(edges, cdf, _group_count(n))
    filled = p > 0
    divergence = float(p[filled] @ np.log2(p[filled] / q[filled]))
    freedom = max(len(q) - 1 - parameters, 0)
    second = float((1 / q).sum() - 1) / (6 * n)
    return divergence - (freedom + second) / (2 * n * log(2))


def _group_count(n: int) -> int:
    """256, of few weights one group for each EACH of them."""
    return min(GROUPS, n // EACH)


def _groups(
    edges: Edges, cdf: NDArray[np.float64], number: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fitted and empirical share of each group.

    A boundary is a quantile of the law; inside a cell, whose weights cannot be divided, it moves to
    the nearer edge; one beyond all cells stays. Groups whose fitted share is below a fraction of
    the usual one join the next.
    """
    before, after = edges.before[edges.real], edges.after[edges.real]
    cdf = cdf[edges.real]  # a knot divides cells and is no boundary
    levels = np.arange(1, number) / number
    beyond = np.searchsorted(cdf, levels)  # the first edge beyond each level
    right = np.clip(beyond, 1, len(cdf) - 1)
    left = right - 1
    inside = (before[right] > after[left]) & (beyond == right)
    nearer = np.where(cdf[right] - levels < levels - cdf[left], right, left)
    fitted = np.where(inside, cdf[nearer], levels)
    share = np.where(inside, after[nearer], after[left])
    share = np.where(beyond == right, share, beyond > 0)  # none or all, beyond all cells
    fitted = np.concatenate(([0.0], fitted, [1.0]))
    share = np.concatenate(([0.0], share, [1.0]))
    apart = np.concatenate(([True], np.diff(fitted[:-1]) > LEAST / number, [True]))
    if len(apart) > 2 and 1.0 - fitted[:-1][apart[:-1]][-1] <= LEAST / number:
        last = int(np.flatnonzero(apart[:-1])[-1])
        apart[last] = last == 0
    return np.diff(fitted[apart]), np.diff(share[apart])
