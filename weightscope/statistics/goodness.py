"""How far a law is from the weights: effect sizes, since with millions of weights every p-value is 0.

`ks` and `w1` compare distribution functions at cell edges, so that rounding to a narrow type costs nothing;
`kl_bits` compares 256 cells of equal fitted probability, minus the bias that a finite sample has.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from ..heavy import numpy as np
from .laws.law import centre_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .laws.cells import Cells
    from .laws.law import Law, Params

BINS = 256
STEP = 0.05                                     # std between knots of w1 where no cell edge is near
FAR = 1e6                                       # std: the tails of w1 end there (nu = 1 has no first moment)
TABLE = 8192                                    # edges: above, the distribution function is tabulated


@dataclass(frozen=True, eq=False)
class Edges:
    """The empirical distribution function at cell edges and knots: even inside a cell, flat between cells."""

    x: NDArray[np.float64]
    share: NDArray[np.float64]                  # of the weights below x
    table: NDArray[np.float64]                  # x, or fewer that lie close enough for straight lines
    cells: int


@dataclass(frozen=True)
class Goodness:
    """sup|F_emp - F|, Wasserstein-1 in std, and bits per weight lost against the histogram."""

    ks: float
    w1: float
    kl_bits: float


def edges_of(cells: Cells) -> Edges:
    """Sorted edges; where cells of different types overlap, an edge has half of what may lie below it."""
    edges = _merge(np.concatenate((cells.low, cells.high)))
    below, past = np.concatenate(([0.0], np.cumsum(cells.share))), np.searchsorted
    first = past(cells.low if _sorted(cells.low) else np.sort(cells.low), edges, "left")
    last = past(cells.high if _sorted(cells.high) else np.sort(cells.high), edges, "right")
    share = (below[first] + below[last]) / 2
    knots = _knots(edges[0], edges[-1])
    x = np.concatenate((edges, knots))
    order = np.argsort(x, kind="stable")
    share = np.concatenate((share, np.interp(knots, edges, share)))[order]
    x = x[order]
    return Edges(x, np.clip(share, 0.0, 1.0), _thinned(x), len(cells.share))


def goodness(edges: Edges, law: Law, params: Params, n: int) -> Goodness:
    """All three, from one evaluation of the distribution function."""
    fitted = np.asarray(law.cdf(edges.table, params))
    if len(edges.table) < len(edges.x):
        fitted = np.interp(edges.x, edges.table, fitted)
    gap = edges.share - fitted
    return Goodness(float(np.abs(gap).max()), _area(edges.x, gap), _lost_bits(edges, fitted, n))


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
    thin = mass < 1e-280                        # 36 sigma out: the density at the value, times the width
    logs = np.log(np.where(thin, 1.0, mass))
    if thin.any():
        logs[thin] = law.logpdf(value[thin], params) + np.log(high[thin] - low[thin])
    return total + float(share @ logs)


def _sorted(x: NDArray[np.float64]) -> bool:
    return bool((x[1:] >= x[:-1]).all())


def _merge(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.sort(x, kind="stable")               # two ascending runs: merged, not sorted
    return x[np.concatenate(([True], x[1:] != x[:-1]))]


def _knots(first: float, last: float) -> NDArray[np.float64]:
    """Every 0.05 std to 8, then 5% apart out to FAR on both sides."""
    near = np.arange(-8.0, 8.0, STEP)
    tail = np.geomspace(8.0, max(FAR, abs(first), abs(last)) * 1.1, 250)
    return np.concatenate((-tail[::-1], near, tail))


def _thinned(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Knots at least 0.005 std and 1/64 of their distance from the mean apart; straight lines then err below 1e-6."""
    if len(x) <= TABLE:
        return x
    far = np.abs(x)
    steps = np.floor(np.copysign(64 * np.arcsinh(far / 0.005 / 64) + 1, x))
    keep = np.concatenate(([True], steps[1:] != steps[:-1]))
    keep |= np.concatenate((keep[1:], [True]))
    return x[keep]


def _area(x: NDArray[np.float64], gap: NDArray[np.float64]) -> float:
    """Integral of |gap|, straight between knots; where the sign changes, two triangles."""
    a, b = np.abs(gap[:-1]), np.abs(gap[1:])
    total = a + b
    same = gap[:-1] * gap[1:] >= 0
    height = np.where(same, total, (a * a + b * b) / np.where(same, 1.0, total))
    return float(height @ np.diff(x)) / 2


def _lost_bits(edges: Edges, fitted: NDArray[np.float64], n: int) -> float:
    """sum p log2(256 p) over cells of fitted probability 1/256, minus (K - 1)/(2 N ln 2); stored cells split as fitted."""
    p = np.diff(np.interp(np.arange(BINS + 1) / BINS, fitted, edges.share, left=0.0, right=1.0))
    p = p[p > 0]
    return float(p @ np.log2(BINS * p)) - (min(BINS, edges.cells) - 1) / (2 * n * log(2))
