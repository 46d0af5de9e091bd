"""The largest eigenvalue of noise beside one weight of any size: mean, variance and skewness.

A weight of tau = z^2/sqrt(mn) moves the largest eigenvalue from Tracy-Widom's law, tau -> 0, to a
Gaussian one outside of the bulk (Baik, Ben Arous and Peche, Annals of Probability 33, 2005). In the
units of `Edge` its distance is the square of its size t = (sqrt(tau) - 1/sqrt(tau))/f, and near
tau = 1 the law depends on t alone (Bloemendal and Virag; table of `reference/build_edge.py`). Far
from 1 it joins the laws of single perturbations: -1/t becomes f tau^2/(1 - tau) below, and above
are the mean and variance of an eigenvalue that has left the bulk. **Ours** is the join.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...lazy import numpy as np
from .tracy_widom import MEAN, SKEWNESS, VARIANCE, centre_and_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TABLE = Path(__file__).parent / "reference" / "rank_one.npy"
SIZES = tuple(step / 10 for step in range(-80, 61))  # t of the table
STEP = 0.1
BEND = -2.4  # least deviation from the table's mean for tau of 1 to 2, in f: simulated


class Moments(NamedTuple):
    """Of (lambda/rms^2 - centre)/scale."""

    mean: float
    variance: float
    skewness: float


@dataclass(frozen=True)
class Edge:
    """Upper edge of m x n noise, short <= long, in mean squares of the elements."""

    short: int
    long: int

    @staticmethod
    @lru_cache(maxsize=256)
    def of(m: int, n: int) -> Edge:
        """With the sides in order, and the law computed once."""
        return Edge(*sorted((m, n)))

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.short * self.long

    @cached_property
    def law(self) -> tuple[float, float]:
        """Centre and scale of the largest eigenvalue."""
        centre, scale = centre_and_scale(self.short, self.long)
        return float(centre), float(scale)

    @cached_property
    def f(self) -> float:
        """Shift by one unit of kurtosis: (sqrt m + sqrt n)^2/(sqrt(mn) scale), about N^(-1/3)."""
        edge = (sqrt(self.short) + sqrt(self.long)) ** 2
        return edge / (sqrt(self.size) * self.law[1])

    @cached_property
    def trace_variance(self) -> float:
        """What the sum of squares explains of the variance: 2/(mn) (centre/scale)^2.

        Gaussian elements: lambda/rms^2 does not depend on rms (Nadler, Journal of Multivariate
        Analysis 102, 2011).
        """
        centre, scale = self.law
        return 2 / self.size * (centre / scale) ** 2


def alone(edge: Edge) -> Moments:
    """Of Gaussian elements.

    >>> [round(value, 2) for value in alone(Edge(64, 64))]
    [-1.21, 1.3, 0.41]
    """
    variance = VARIANCE - edge.trace_variance
    return Moments(MEAN, variance, SKEWNESS * (VARIANCE / variance) ** 1.5)


def beside(edge: Edge, tau: float) -> Moments:
    """With one weight of tau, less than half of the energy.

    >>> [round(beside(Edge(64, 64), tau).mean, 1) for tau in (0.01, 1.0, 4.0)]
    [-1.2, -0.6, 13.4]
    """
    if not tau > 0:
        return alone(edge)
    at = np.array([tau])
    mean = MEAN + float(displacements(edge, at)[0])
    y, mean_square = (float(found[0]) for found in _energy(edge, at))
    T = y / sqrt(edge.size)
    _, variance, skewness, slope = _table_at(_size(edge, np.array([T])))[:, 0]
    of_weight = slope * (1 + 1 / T) / (edge.f * edge.size**0.25)  # in the table it is random
    if T > 1:
        rest = variance * _narrowing(edge, y) - of_weight**2 + _of_trace(edge, y)
    else:
        rest = variance - of_weight**2 - edge.trace_variance
    more = alone(edge).skewness / SKEWNESS - 1
    skewed = skewness * (1 + more * max(1 - tau, 0.0))  # the part of the trace, simulated
    return Moments(mean, rest / mean_square**2, skewed)


def displacements(edge: Edge, tau: Array) -> Array:
    """Mean less that of Gaussian elements, of one weight each of tau > 0."""
    below = np.minimum(tau, 0.999)
    bent = edge.f * (below**2 - np.sqrt(below)) / (1 - below)
    outside = tau > 1
    if outside.any():
        above = tau[outside]
        bent[outside] = edge.f * np.maximum((above**2 - np.sqrt(above)) / (1 - above - 1e-9), BEND)
        outlier = _outlier(edge, above) - _size(edge, above) ** 2
        bent[outside] = np.minimum(bent[outside], outlier)
    return np.asarray(_table_at(_size(edge, tau))[0] - MEAN + bent)


def response(edge: Edge, tau: float) -> float:
    """How much of a shift of the edge an eigenvalue outside of it takes part in.

    The derivative P (m (1 + n P) + n (1 + m P)) of lambda by the kurtosis, relative to that of the
    edge: P = 1/(tau sqrt(mn)).
    """
    if tau <= 1:
        return 1.0
    root, sides = sqrt(edge.size), edge.short + edge.long
    return (sides / tau + 2 * root / tau**2) / (sides + 2 * root)


def _size(edge: Edge, tau: Array) -> Array:
    root = np.sqrt(tau)
    return np.asarray((root - 1 / root) / edge.f)


def _table_at(size: Array) -> Array:
    """Mean, variance, skewness and slope of the mean (4, k); beyond the table -1/t, and t^2 and 4t.

    The slope is that of the mean by t.
    """
    table = _table()
    at = np.clip((size - SIZES[0]) / STEP, 0, len(SIZES) - 1)
    row = np.minimum(at.astype(np.int64), len(SIZES) - 2)
    found = table[:, row] + (at - row) * (table[:, row + 1] - table[:, row])
    left, right = size < SIZES[0], size > SIZES[-1]
    if left.any():
        found[0, left] = MEAN - 1 / size[left]
        found[3, left] = 1 / size[left] ** 2
    if right.any():
        found[0, right] += size[right] ** 2 - SIZES[-1] ** 2
        found[1, right] *= size[right] / SIZES[-1]
        found[3, right] = 2 * size[right]
    return np.asarray(found)


@lru_cache(maxsize=1)
def _table() -> Array:
    moments = np.load(TABLE)
    return np.vstack([moments, np.gradient(moments[0], STEP, edge_order=2)])


def _energy(edge: Edge, tau: Array) -> tuple[Array, Array]:
    """y = x^2 of the weight in squares of the other weights, and all mean squares in the same."""
    square = tau * sqrt(edge.size)
    y = square * (edge.size - 1) / (edge.size - square)
    return y, (y + edge.size - 1) / edge.size


def _outlier(edge: Edge, tau: Array) -> Array:
    """The eigenvalue (y + m - 1)(y + n - 1)/y that x is the cause of."""
    y, mean_square = _energy(edge, tau)
    value = (y + edge.short - 1) * (y + edge.long - 1) / y / mean_square
    centre, scale = edge.law
    return np.asarray((value - centre) / scale)


def _narrowing(edge: Edge, y: float) -> float:
    """Variance of the outlier of T > 1 over 4t, the one of the table far on the right.

    Of its row and column (1 - 1/T^2)^2 2y (n/(y+m) + m/(y+n) + (2y+m+n)^2/((y+m)(y+n)(T^2-1))), and
    of x itself, if it is random, (1 - 1/T^2)^2 4y, with T = y/sqrt(mn).
    """
    m, n = edge.short, edge.long
    squared = y**2 / edge.size
    crossing = (2 * y + m + n) ** 2 / ((y + m) * (y + n) * (squared - 1))
    lines = n / (y + m) + m / (y + n) + crossing
    variance = (1 - 1 / squared) ** 2 * 2 * y * (lines + 2)
    size = float(_size(edge, np.array([sqrt(squared)]))[0])
    return variance / edge.law[1] ** 2 / (4 * size)


def _of_trace(edge: Edge, y: float) -> float:
    """2/(mn) (L^2 - 2LD), L = (y+m)(y+n)/y and D = m + n + 2mn/y, of the sum of squares.

    The weight is fixed in it.
    """
    m, n = edge.short, edge.long
    value = (y + m) * (y + n) / y
    slope = m + n + 2 * m * n / y
    of_sum = value * (value - 2 * slope)
    return 2 / edge.size * of_sum / edge.law[1] ** 2
