"""Effective depth: the length of the random residual product whose singular values a matrix's are most like.

P_L = X_L - X_0 with X_0 the first n columns of I_m, X_{l+1} = X_l + A_l X_l and A_l ~ N(0, 1/m): i.i.d. Gaussian at
L = 1, ever more uneven as L grows. From the language-model-training posts. The spectra of P_L are simulated once, by
`reference/build.py`, and ship as mean log singular values over 64 equal shares of the values; only the aspect ratio
tells shapes apart (singular values repel each other: from 16 on a spectrum follows its limit within a few percent).
Uneven row scales look like depth too (log-sd 0.5 on square noise reads as 2.5): read it beside the balanced one. The
more elongated a matrix, the more depth the same unevenness means, about as max(m,n)/min(m,n).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note, Notes
from ...sketches import Decompose
from ..statistic import Evidence, Statistic
from .spectral import spectral
from .spectrum import THIN, Spectrum

if TYPE_CHECKING:
    from numpy.typing import NDArray

TABLE = (
    Path(__file__).parent / "reference" / "residual_product.npy"
)  # aspects x depths x shares, float32
ASPECTS = (  # sqrt(q), closer near 1, where the smallest values change fastest
    0.08,
    0.125,
    0.18,
    0.25,
    0.31,
    0.38,
    0.46,
    0.55,
    0.64,
    0.73,
    0.81,
    0.88,
    0.93,
    0.96,
    0.98,
    0.99,
    1.0,
)
DEPTHS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64)
SHARES = 64
FLOOR = 1e-3  # of the rms: below it a logarithm would outweigh all other values
FEWEST = 16  # values; at 16 a depth scatters by 12%, at 8 by 30%
CHANCE = 8  # over r: what noise gains by chance, in steps from L = 1 to 2

COLUMNS = (
    Column(
        "effective_depth",
        "float",
        "residual blocks whose product has such a spectrum (i.i.d.: 1)",
        shown=True,
    ),
    Column(
        "effective_depth_distance",
        "float",
        "Wasserstein-1 distance of log singular values at that depth",
    ),
)
FEW = Note("few-singular-values", f"no effective depth below {FEWEST} singular values")
ROUNDED = Note("rounding", "no effective depth: most singular values are rounding")
ELONGATED = 64.0  # times as long as wide: from there hardly uneven values are a depth


def effective_depth(sigma: NDArray[np.float64], m: int, n: int) -> tuple[float, float] | None:
    """The L in 1..64 with the least W1 between log singular values of W and of P_L, and that distance in nats.

    sigma: the r = min(m,n) singular values, finite, descending, float64, of the m x n lines that are not zero. Both
    sides are divided by their rms, floored at 1e-3 and averaged over min(r, 64) equal shares, and the reference is
    linear in L between simulated levels. W1 = mean |difference|, as scipy.stats.wasserstein_distance of the averages.
    (1.0, distance at 1) where no L is nearer than 1 by more than 8/r of the step from 1 to 2: i.i.d. matrices, 99% of
    them. 64.0 is 64 or more. Depths scatter by about 2/r of themselves. None below 16 values and for a zero matrix.

    >>> effective_depth(np.linspace(2, 0, 100), 100, 100)[0]
    1.0
    """
    if len(sigma) < FEWEST or not sigma[0] > 0:
        return None
    count = min(len(sigma), SHARES)
    values = log_shares(sigma, count)
    levels = np.array([_shares(level, count) for level in _reference(min(m, n) / max(m, n))])
    depth, distance = _nearest(values, levels)
    step, at_one = (float(np.abs(x - levels[0]).mean()) for x in (levels[1], values))
    return (depth, distance) if at_one - distance > CHANCE / len(sigma) * step else (1.0, at_one)


def log_shares(sigma: NDArray[np.float64], count: int = SHARES) -> NDArray[np.float64]:
    """Means of ln max(sigma/rms, 1e-3) over `count` equal shares of the values, ascending; a value may be divided.

    >>> log_shares(np.array([1.0, 1.0, 1.0]), 2).tolist()
    [0.0, 0.0]
    """
    relative = sigma[::-1] / sigma[0]  # a share of the largest: its square never leaves float64
    return _shares(np.log(np.maximum(relative / sqrt((relative**2).mean()), FLOOR)), count)


def _shares(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Means of a step function of equal steps over `count` equal shares of its width."""
    upto = np.concatenate(([0.0], np.cumsum(values)))
    edges = np.linspace(0, len(values), count + 1)
    return np.diff(np.interp(edges, np.arange(len(upto)), upto)) * (count / len(values))


def _reference(ratio: float) -> NDArray[np.float64]:
    """The levels at q = short/long side, (depths, shares): linear in sqrt(q), in which the law's edges are linear."""
    aspects, table = _table()
    upper = int(np.searchsorted(aspects[1:-1], sqrt(ratio))) + 1
    low, high = aspects[upper - 1], aspects[upper]
    into = (sqrt(ratio) - low) / (high - low)
    return np.asarray((1 - into) * table[upper - 1] + into * table[upper])


@lru_cache(maxsize=1)
def _table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """sqrt(q) and the levels there; at q = 0 all singular values are equal."""
    table = np.load(TABLE).astype(np.float64)
    return np.array((0.0, *ASPECTS)), np.concatenate((np.zeros_like(table[:1]), table))


def _nearest(values: NDArray[np.float64], levels: NDArray[np.float64]) -> tuple[float, float]:
    """The depth and mean |values - level| of the nearest point on the path through the levels.

    Between two levels the distance is convex in the way t from one to the other, a sum of |step| |t_i - t|: least at a
    median of the t_i weighted by |step|, cut to 0..1.
    """
    lows, steps = levels[:-1], np.diff(levels, axis=0)
    into = np.array([_median(values - low, step) for low, step in zip(lows, steps, strict=True)])
    distances = np.abs(values - lows - into[:, None] * steps).mean(1)
    best = int(np.argmin(distances))
    return float(DEPTHS[best] + into[best] * (DEPTHS[best + 1] - DEPTHS[best])), float(
        distances[best]
    )


def _median(rest: NDArray[np.float64], step: NDArray[np.float64]) -> float:
    """The t in 0..1 of least sum |rest - t step|."""
    moved = step != 0
    ways = rest[moved] / step[moved]
    order = np.argsort(ways)
    weight = np.cumsum(np.abs(step[moved][order]))
    middle = np.searchsorted(weight, weight[-1] / 2)
    return float(np.clip(ways[order][middle], 0, 1))


def depth_of(s: Spectrum, name: str) -> tuple[tuple[float, float] | None, Notes]:
    """Effective depth and its distance, with what to distrust in the column `name`; or none and the reason."""
    if s.low_rank or s.rounded:
        return None, (THIN if s.low_rank else ROUNDED,)
    found = effective_depth(s.sigma, s.m, s.n)
    return found, tuple(_doubts(s, name, found[0])) if found else (FEW,)


def _doubts(s: Spectrum, name: str, depth: float) -> Iterator[Note]:
    """At the end of the table, and where the shape says more than the values."""
    if depth >= DEPTHS[-1]:
        yield Note("depth-at-end", f"{name} {DEPTHS[-1]} is {DEPTHS[-1]} or more")
    if s.q < 1 / ELONGATED and depth > 1:
        template = "depth of a shape of 1:{length:.0f} grows with its length: compare equal shapes"
        yield Note.of("long-shape", template, length=1 / s.q)


def _of(spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    names = [c.name for c in COLUMNS]
    found, notes = depth_of(spectrum, names[0])
    return {**dict(zip(names, found or (None, None), strict=True)), "notes": notes}


def depth(measure: Decompose) -> Statistic:
    """Depth and how well it describes the spectrum."""
    return spectral(COLUMNS, measure, _of, frozenset())
