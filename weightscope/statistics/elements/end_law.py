"""The law of the largest weight of one end, from the weights below the most extreme ones.

Distances from the median are taken to the power beta of the generalised Gaussian that has the same
ratio of quantile distances, (q95 - q5)/(q75 - q25): of such a law the tail is then nearly
exponential. Beyond beta = 6, of nearly bounded weights, the distances themselves are used.

Spacings of ordered values x_(1) >= x_(2) >= ..., times their rank r, have about exponential laws of
mean s r^b, those of a generalised Pareto tail of shape -b: b = 0 is an exponential tail, b < 0 a
heavier one and b = 1 that of a uniform law. The next 5% of the weights, 500 at most, below the most
extreme 5 give the posterior of s and b (flat in ln s and b), and this the probability of a larger
one. It does not depend on location and scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import log, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from ...sketches.quantiles import quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ...sketches import ValueCounts

    Array = NDArray[np.float64]

INNER, OUTER = 0.5, 0.9  # of |w - median|: the shares between two quantiles
BOUNDED = 6.0  # beta beyond which no power is taken
POWERS = 65  # betas of the table of ratios
JUDGED = 5  # most extreme weights of an end, which are not part of the tail
SHARE = 100  # one weight of an end in so many is judged in a small tensor
FEWEST = 2  # judged
WIDTH = 20  # weights of the tail to each that is judged, at least
TAIL = 0.05  # share of an end's weights that is its tail
MOST_OF_TAIL = 500
VALUES = 20  # least values of the tail, where cells are values
BINS = 4  # least cells of the tail, to which it is extended
TIED = 2  # weights to each cell of a tail with gaps, beyond which it is a lattice
SHAPES = 3.0  # b is within -3..3
COARSE = 13  # points of b in this range, then around the likeliest
FINE, DEVIATIONS = 31, 4.0  # points of b around that, within so many standard deviations
NODES = 9  # of the integral over s
FLAT = 1e-6  # |b| below which the tail is taken for exponential
LEAST, MOST = 1e-300, 1 - 1e-16  # probabilities whose normal quantile is finite


@dataclass(frozen=True, eq=False)
class End:
    """Cells of the tail of one end, descending, as powers of distances; `judged` lie beyond them.

    `ranks` has one more entry than there are cells: how many weights are beyond each edge.
    """

    low: Array
    high: Array
    counts: Array
    ranks: Array
    judged: int
    largest: float


def ends_of(counts: ValueCounts) -> tuple[End, End] | None:
    """The upper and the lower end; None where the middle half is one value or the cells are few."""
    inner = _between(counts, INNER)
    middle = quantile(counts, 0.5)
    if not inner or middle is None:
        return None
    power = _power(_between(counts, OUTER) / inner)

    def distances(values: Array) -> Array:
        scaled = np.maximum(values, 0.0) / inner
        return np.asarray(scaled**power)

    # only the cells of the tail are taken to the power
    above, below = counts.value > middle, counts.value < middle
    cells = 1
    if counts.exact:
        cells = VALUES
    upper = _end(
        (counts.low[above] - middle)[::-1],
        (counts.high[above] - middle)[::-1],
        counts.counts[above][::-1],
        counts.maximum - middle,
        distances,
        cells,
    )
    lower = _end(
        middle - counts.high[below],
        middle - counts.low[below],
        counts.counts[below],
        middle - counts.minimum,
        distances,
        cells,
    )
    if upper is None or lower is None:
        return None
    return upper, lower


def _between(counts: ValueCounts, share: float) -> float:
    """Half the distance of the two quantiles that have so many weights between them."""
    low, high = quantile(counts, (1 - share) / 2), quantile(counts, (1 + share) / 2)
    if low is None or high is None:
        return 0.0
    return (high - low) / 2


def _power(ratio: float) -> float:
    """beta of the generalised Gaussian with this ratio of quantile distances; 1 beyond 6."""
    ratios, betas = _table()
    beta = float(np.interp(-ratio, -ratios, betas))
    if beta > BOUNDED:
        return 1.0
    return beta


@cache
def _table() -> tuple[Array, Array]:
    """Ratios, descending, and betas; the quantile of |x| is G^-1(share; 1/beta)^(1/beta)."""
    betas = np.exp(np.linspace(log(0.3), log(12.0), POWERS))
    outer = special.gammaincinv(1 / betas, OUTER)
    inner = special.gammaincinv(1 / betas, INNER)
    return (outer / inner) ** (1 / betas), betas


def _end(
    low: Array,
    high: Array,
    counts: NDArray[np.int64],
    largest: float,
    distances: Callable[[Array], Array],
    cells: int,
) -> End | None:
    """The tail of one end; None where it has too few cells."""
    beyond = np.cumsum(counts)
    if not len(beyond):
        return None
    number = int(beyond[-1])
    few = max(min(number // SHARE, JUDGED), FEWEST)
    last_judged = int(np.searchsorted(beyond, few))
    if last_judged + 1 >= len(counts):
        return None
    judged = int(beyond[last_judged])
    width = max(min(int(number * TAIL), MOST_OF_TAIL), WIDTH * few)
    last = int(np.searchsorted(beyond, judged + width))
    if last - last_judged < cells:
        return None
    last = max(last, last_judged + BINS)
    if last >= len(counts):
        return None
    beside = slice(last_judged, last + 2)  # the tail with its neighbours
    low, high = distances(low[beside]), distances(high[beside])
    tail = slice(1, last - last_judged + 1)
    shared = beyond[last] - judged > TIED * (last - last_judged)
    if shared and (high[tail] - low[tail]).sum() < (high[tail][0] - low[tail][-1]) / 2:
        low, high = _contiguous(low, high)
    return End(
        low[tail],
        high[tail],
        counts[last_judged + 1 : last + 1].astype(np.float64),
        beyond[last_judged : last + 1].astype(np.float64),
        judged,
        float(distances(np.array(largest))),
    )


def _contiguous(low: Array, high: Array) -> tuple[Array, Array]:
    """Cells that reach half-way to their neighbours: the values of a lattice stand for steps."""
    between = (low[:-1] + high[1:]) / 2
    first = 2 * high[0] - between[0]
    last = 2 * low[-1] - between[-1]
    lower, upper = np.append(between, last), np.insert(between, 0, first)
    return lower, upper


def chance_of_larger(end: End) -> float:
    """P(the largest of as many weights as are judged is above the largest one), 0 to 1."""
    beyond = end.largest - _largest_of_tail(end)
    if beyond <= 0:
        return 1.0
    shapes, exposure, likelihood = _posterior(end)
    nodes, weights = _nodes()
    scales = _scales(end, shapes, exposure, nodes)
    survival = _survival(beyond, shapes[:, None], scales)
    larger = -np.expm1(end.judged * np.log1p(-np.minimum(survival, MOST)))
    chance = float(likelihood @ (larger @ weights))
    return min(max(chance, LEAST), MOST)


def _largest_of_tail(end: End) -> float:
    """Where the largest weight of the tail is expected in its cell."""
    width = float(end.high[0] - end.low[0])
    return float(end.high[0]) - width / (float(end.counts[0]) + 1)


def _exposure(end: End, shapes: Array) -> Array:
    """R(b): the integral of rank^(1 - b) over the tail; within a cell by Simpson's rule."""
    power = 1 - shapes[:, None]
    edges = np.exp(power * np.log(end.ranks))
    above, below = edges[:, :-1], edges[:, 1:]
    middle = np.exp(power * np.log((end.ranks[:-1] + end.ranks[1:]) / 2))
    width = end.high - end.low
    gap = np.concatenate(([0.0], end.low[:-1] - end.high[1:]))
    inside = (above + 4 * middle + below) / 6
    total: Array = inside @ width + above @ gap
    return total


def _posterior(end: End) -> tuple[Array, Array, Array]:
    """Shapes b around the likeliest, R(b) and their probabilities.

    ln L = -b sum of ln rank - C ln R(b), C weights in the tail, s integrated out.
    """
    number = float(end.counts.sum())
    ranks_above, ranks_below = end.ranks[:-1], end.ranks[1:]
    logs = special.gammaln(ranks_below + 1) - special.gammaln(ranks_above + 1)
    sum_of_logs = float(logs.sum())

    def log_likelihood(shapes: Array, exposure: Array) -> Array:
        found: Array = -shapes * sum_of_logs - number * np.log(exposure)
        return found

    likeliest, step = 0.0, SHAPES
    for _ in range(2):
        low, high = max(likeliest - step, -SHAPES), min(likeliest + step, SHAPES)
        grid = np.linspace(low, high, COARSE)
        found = log_likelihood(grid, _exposure(end, grid))
        likeliest = float(grid[int(found.argmax())])
        step *= 2 / (COARSE - 1)
    mean_log = float((end.counts * np.log(ranks_below)).sum()) / number
    information = float((end.counts * (np.log(ranks_below) - mean_log) ** 2).sum())
    deviation = 1 / sqrt(max(information, 1e-3))
    reach = DEVIATIONS * deviation + step
    low, high = max(likeliest - reach, -SHAPES), min(likeliest + reach, SHAPES)
    shapes = np.linspace(low, high, FINE)
    exposure = _exposure(end, shapes)
    found = log_likelihood(shapes, exposure)
    likelihood = np.exp(found - found.max())
    return shapes, exposure, likelihood / likelihood.sum()


@cache
def _nodes() -> tuple[Array, Array]:
    """Normal quantiles at which the integral over s is taken, and their weights."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return nodes, weights / weights.sum()


def _scales(end: End, shapes: Array, exposure: Array, nodes: Array) -> Array:
    """(shapes, nodes): scales of the tail beyond its first edge.

    s has the relative variance 1/C, and b^2/(judged + 1) more, since the share of weights beyond
    the edge is as uncertain as their number; both together as a log-normal law.
    """
    number = float(end.counts.sum())
    of_share = shapes**2 / (end.judged + 1)
    deviation = np.sqrt(of_share + 1 / number)
    logs = shapes * log(end.judged + 1) + np.log(exposure / number)
    logs += (1 / number - of_share) / 2
    scales: Array = np.exp(logs[:, None] + deviation[:, None] * nodes)
    return scales


def _survival(beyond: float, shapes: Array, scales: Array) -> Array:
    """(1 - b y/s)^(1/b) of the generalised Pareto law, 0 beyond its end."""
    shapes = np.where(np.abs(shapes) < FLAT, FLAT, shapes)
    left = 1 - shapes * beyond / scales
    survival: Array = np.exp(np.log(np.maximum(left, LEAST)) / shapes)
    return np.where(left > 0, np.minimum(survival, 1.0), 0.0)
