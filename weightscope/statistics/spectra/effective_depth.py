"""Effective depth: the length of the random residual product with the most similar singular values.

P_L = X_L - X_0 with X_0 the first n columns of I_m, X_{l+1} = X_l + A_l X_l and A_l ~ N(0, 1/m):
i.i.d. Gaussian at L = 1, ever more uneven as L grows. From the language-model-training posts. The
spectra of P_L are simulated once, by `reference/build.py`, and ship as mean log singular values
over 64 equal shares of the values. The table distinguishes shapes by their aspect ratio alone:
singular values repel each other, and from 16 on a spectrum follows its limit within a few percent.
Uneven row scales increase the depth too (log-sd 0.5 on square noise: 2.5): compare it with the
balanced one. The more elongated a matrix, the more depth the same unevenness means, about as
max(m,n)/min(m,n).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import isfinite, sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note, Notes
from ...sketches import Count, Decompose
from ..statistic import Evidence, Statistic
from .spectral import spectral
from .spectrum import THIN, Spectrum

if TYPE_CHECKING:
    from numpy.typing import NDArray

# aspects x depths x shares, float32
TABLE = Path(__file__).parent / "reference" / "residual_product.npy"
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
FLOOR = 1e-3  # of the rms: the logarithm of a smaller value would dominate all others
FEWEST = 16  # values; at 16 a depth scatters by 12%, at 8 by 30%
WIDENED = 0.2  # of CHANCE for each unit of excess kurtosis: heavy elements are less alike
MOST_KURTIC = 10.0  # of a single far weight the kurtosis says nothing about the others
CHANCE = 8  # over r: random gain of noise by a larger L, in steps from L = 1 to 2

COLUMNS = (
    Column(
        "effective_depth",
        "float",
        "residual blocks whose product has such a spectrum (i.i.d.: 1)",
        shown=True,
        version=2,
    ),
    Column(
        "effective_depth_distance",
        "float",
        "Wasserstein-1 distance of log singular values at that depth",
    ),
)
FEW = Note("few-singular-values", f"no effective depth: fewer than {FEWEST} singular values")
ROUNDED = Note("rounding", "no effective depth: most singular values may be rounding")
ELONGATED = 64.0  # times as long as wide: beyond, slightly uneven values have a large depth


def effective_depth(
    sigma: NDArray[np.float64], m: int, n: int, kurtosis: float = 0.0
) -> tuple[float, float] | None:
    """The L in 1..64 with the least W1 between log singular values of W and of P_L, and W1 in nats.

    sigma: the r = min(m,n) singular values, finite, descending, float64, of the m x n lines that
    are not zero. Both sides are divided by their rms, floored at 1e-3 and averaged over min(r, 64)
    equal shares, and the reference is linear in L between simulated levels. W1 = mean |difference|,
    as scipy.stats.wasserstein_distance of the averages. (1.0, distance at 1) where no L is nearer
    than 1 by more than 8 (1 + 0.2 kurtosis)/r of the step from 1 to 2, kurtosis 0 to 10 (excess):
    i.i.d. matrices, 99% of them. 64.0 means 64 or
    more. Depths scatter by about 2/r of themselves. None below 16 values and for a zero matrix.

    >>> effective_depth(np.linspace(2, 0, 100), 100, 100)[0]
    1.0
    """
    if len(sigma) < FEWEST or not sigma[0] > 0:
        return None
    count = min(len(sigma), SHARES)
    values = log_shares(sigma, count)
    levels = _levels(min(m, n) / max(m, n), count)
    depth, distance = _nearest(values, levels)
    step = float(np.abs(levels[1] - levels[0]).mean())
    at_one = float(np.abs(values - levels[0]).mean())
    widened = 1 + WIDENED * min(max(kurtosis, 0.0), MOST_KURTIC)
    if at_one - distance > CHANCE * widened / len(sigma) * step:
        return depth, distance
    return 1.0, at_one


def log_shares(sigma: NDArray[np.float64], count: int = SHARES) -> NDArray[np.float64]:
    """Means of ln max(sigma/rms, 1e-3) over `count` equal shares of the values, ascending.

    A value may be divided between two shares.

    >>> log_shares(np.array([1.0, 1.0, 1.0]), 2).tolist()
    [0.0, 0.0]
    """
    relative = sigma[::-1] / sigma[0]  # to the largest, so that float64 holds the squares
    of_rms = relative / sqrt((relative**2).mean())
    return _shares(np.log(np.maximum(of_rms, FLOOR)), count)


def _shares(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Means of a step function of equal steps over `count` equal shares of its width."""
    integral = np.concatenate(([0.0], np.cumsum(values)))
    positions = np.arange(len(integral))
    edges = np.linspace(0, len(values), count + 1)
    at_edges = np.interp(edges, positions, integral)
    return np.diff(at_edges) * (count / len(values))


@lru_cache(maxsize=256)
def _levels(ratio: float, count: int) -> NDArray[np.float64]:
    """The reference of matrices of one shape in `count` shares: many tensors have it."""
    levels = np.array([_shares(level, count) for level in _reference(ratio)])
    levels.flags.writeable = False
    return levels


def _reference(ratio: float) -> NDArray[np.float64]:
    """The levels at q = short/long side, (depths, shares).

    Linear in sqrt(q), in which the edges of the Marchenko-Pastur law are linear.
    """
    aspects, table = _table()
    aspect = sqrt(ratio)
    upper = int(np.searchsorted(aspects[1:-1], aspect)) + 1
    low, high = aspects[upper - 1], aspects[upper]
    weight = (aspect - low) / (high - low)
    return np.asarray((1 - weight) * table[upper - 1] + weight * table[upper])


@lru_cache(maxsize=1)
def _table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values of sqrt(q), and the levels there: (aspects, depths, shares)."""
    table = np.load(TABLE).astype(np.float64)
    at_zero = np.zeros_like(table[:1])  # at q = 0 all singular values are equal
    return np.array((0.0, *ASPECTS)), np.concatenate((at_zero, table))


def _nearest(values: NDArray[np.float64], levels: NDArray[np.float64]) -> tuple[float, float]:
    """The depth and mean |values - level| of the nearest point on the path through the levels.

    A point between two levels is low + t step. Its distance is convex in t, a sum of
    |step| |t_i - t|: least at a median of the t_i weighted by |step|, cut to 0..1.
    """
    lows, steps = levels[:-1], np.diff(levels, axis=0)
    pairs = zip(lows, steps, strict=True)
    t = np.array([_median(values - low, step) for low, step in pairs])
    # (depths - 1, shares)
    residuals = values - lows - t[:, None] * steps
    distances = np.abs(residuals).mean(1)
    best = int(np.argmin(distances))
    shallow, deep = DEPTHS[best], DEPTHS[best + 1]
    depth = shallow + t[best] * (deep - shallow)
    return float(depth), float(distances[best])


def _median(rest: NDArray[np.float64], step: NDArray[np.float64]) -> float:
    """The t in 0..1 of least sum |rest - t step|."""
    nonzero = step != 0
    ratios = rest[nonzero] / step[nonzero]
    order = np.argsort(ratios)
    weight = np.cumsum(np.abs(step[nonzero][order]))
    middle = np.searchsorted(weight, weight[-1] / 2)
    return float(np.clip(ratios[order][middle], 0, 1))


def depth_of(
    s: Spectrum, name: str, kurtosis: float = 0.0
) -> tuple[tuple[float, float] | None, Notes]:
    """Effective depth and distance, and the doubts about column `name`; or None and the reason."""
    if s.low_rank:
        return None, (THIN,)
    if s.rounded:
        return None, (ROUNDED,)
    nearest = effective_depth(s.sigma, s.m, s.n, kurtosis)
    if nearest is None:
        return None, (FEW,)
    return nearest, tuple(_doubts(s, name, nearest[0]))


def _doubts(s: Spectrum, name: str, depth: float) -> Iterator[Note]:
    """The warnings at the end of the table, and about a long shape."""
    if depth >= DEPTHS[-1]:
        yield Note("depth-at-end", f"{name} {DEPTHS[-1]} means {DEPTHS[-1]} or more")
    if s.q < 1 / ELONGATED and depth > 1:
        template = "depth grows with the aspect ratio, here 1:{length:.0f}: compare equal shapes"
        yield Note.of("long-shape", template, length=1 / s.q)


def _depth_and_distance(spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    kurtosis = evidence.sketches[Count()].power.kurtosis
    if not isfinite(kurtosis):
        kurtosis = 0.0
    nearest, notes = depth_of(spectrum, "effective_depth", kurtosis)
    depth, distance = nearest or (None, None)
    return {
        "effective_depth": depth,
        "effective_depth_distance": distance,
        "notes": notes,
    }


def depth(measure: Decompose) -> Statistic:
    """Effective depth, and its distance to the spectrum."""
    return spectral(COLUMNS, measure, _depth_and_distance, frozenset({Count()}))
