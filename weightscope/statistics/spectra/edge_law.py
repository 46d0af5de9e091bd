"""Probability of the largest singular value among i.i.d. elements of the measured kurtosis.

The largest weight has the law of `rank_one_law`. The others shift the edge: by f kurtosis and, each
of tau > 0.1, by what it would displace the eigenvalue alone (small kurtosis: Hwang, Lee and
Schnelli, Annals of Applied Probability 29, 2019); squares that meet in one line widen the law. The
mean, the variance and the skewness give the probability, by Wilson and Hilferty's gamma law on both
sides, so that noise of no kurtosis has Tracy-Widom's.
"""

from __future__ import annotations

from functools import lru_cache
from math import cbrt, pi, sqrt
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from .linear_statistic import FAR, Elements
from .rank_one_law import Edge, Moments, beside, displacements, response
from .tracy_widom import MEAN, SKEWNESS, VARIANCE, normal_quantile

if TYPE_CHECKING:
    from .linear_statistic import Array

SLOWER = 0.6  # of f: a shift at finite sizes is f (1 - 0.6 f), simulated (docs/statistics.md)
FEWEST = 512  # elements: of fewer the sum of squares explains most of the variance
SECOND = 1.5  # tau of the second weight from which it can have the largest singular value
BEYOND, POINTS = 6.0, 200  # std and points of the integral over Gaussian far weights
HALF = 0.5  # share of the largest weight in the energy
FURTHEST = 3.0  # shift by the other weights, in scales: no small one beyond


def edge_score_column(name: str) -> Column:
    """The column of the score of a largest singular value, `<name>_score`.

    >>> edge_score_column("tail_excess").name
    'tail_excess_score'
    """
    meaning = f"normal quantile of the probability of a smaller {name} of i.i.d. elements"
    return Column(f"{name}_score", "float", meaning)


def edge_score(value: float, m: int, n: int, elements: Elements | None) -> float | None:
    """Normal quantile of the probability of a smaller lambda_1/rms^2 than `value`.

    None without elements, and where the law is not known: fewer than 512 elements, two weights of
    tau > 1.5, one of half the energy, and a shift by more than 3 scales.

    >>> [round(edge_score(v, 64, 64, Elements(0.0)), 2) for v in (220.0, 242.0, 300.0)]
    [-2.19, 0.04, 3.95]
    """
    if elements is None or m * n < FEWEST:
        return None
    law = edge_law(Edge.of(m, n), elements)
    if law is None:
        return None
    centre, scale = Edge.of(m, n).law
    return score((value - centre) / scale, law)


def edge_law(edge: Edge, elements: Elements) -> Moments | None:
    """Mean, variance and skewness of (lambda_1/rms^2 - centre)/scale; once for each matrix."""
    far = elements.tau.tobytes(), elements.number.tobytes()
    return _edge_law(edge, elements.kurtosis, elements.largest, *far)


@lru_cache(maxsize=16)
def _edge_law(
    edge: Edge, kurtosis: float, largest: float, tau: bytes, number: bytes
) -> Moments | None:
    elements = Elements(kurtosis, np.frombuffer(tau), np.frombuffer(number), largest)
    return _computed(edge, elements)


def _computed(edge: Edge, elements: Elements) -> Moments | None:
    largest, others, number = elements.largest, elements.tau, _without_largest(elements)
    if largest > HALF * sqrt(edge.size) or others[number > 0].max(initial=0.0) > SECOND:
        return None
    law = beside(edge, largest)
    kurtosis = elements.kurtosis - largest**2
    few = kurtosis - float(others**2 @ number)
    far = displacements(edge, np.minimum(others, 1.0)) @ number
    shift = (1 - SLOWER * edge.f) * (edge.f * few + float(far) - _of_gaussian_elements(edge))
    if abs(shift) > FURTHEST:
        return None
    part = response(edge, largest)
    products = max((kurtosis + 2) ** 2 - float(others**4 @ number), 0.0)
    more = _of_lines(edge, products) + VARIANCE * (_stretch(edge, shift / edge.f) ** 2 - 1)
    variance = law.variance + part**2 * more
    if largest > 1:
        variance += _of_its_lines(edge, largest, kurtosis)
    if not variance > 0:
        return None
    return Moments(law.mean + part * shift, variance, law.skewness)


@lru_cache(maxsize=256)
def _of_gaussian_elements(edge: Edge) -> float:
    """Sum of the displacements beyond f tau^2 by Gaussian far weights, which noise has as well."""
    root = sqrt(edge.size)
    z = np.linspace(sqrt(FAR * root), sqrt(FAR * root) + BEYOND, POINTS)
    tau = z**2 / root
    more = displacements(edge, np.minimum(tau, 1.0)) - edge.f * tau**2
    density = np.exp(-(z**2) / 2) * 2 / sqrt(2 * pi)
    return edge.size * float(np.trapezoid(more * density, z))


def _without_largest(elements: Elements) -> Array:
    """Numbers of the far weights, one of the largest left out."""
    number = elements.number.copy()
    if len(number):
        number[np.argmax(np.where(number > 0, elements.tau, -1.0))] -= 1
    return number


def _stretch(edge: Edge, kurtosis: float) -> float:
    """Scale of the edge over that of Gaussian elements: 1 + K (8 + 3 (m + n)/N)/6N, N = sqrt(mn).

    The edge is the minimum of (1 + nQ)(1 + mQ)/P over P, Q = P + K P^2, and its scale goes with the
    third root of the second derivative, and of dQ/dP^-2.
    """
    root = sqrt(edge.size)
    return 1 + kurtosis * (8 + 3 * (edge.short + edge.long) / root) / (6 * root)


def _of_lines(edge: Edge, products: float) -> float:
    """Variance by the products of two squares in one line, less that of Gaussian elements.

    2 (products - 4) ((sqrt(n/m) + 1)^2/m + (sqrt(m/n) + 1)^2/n).
    """
    m, n = edge.short, edge.long
    of_rows = (sqrt(n / m) + 1) ** 2 / m
    of_columns = (sqrt(m / n) + 1) ** 2 / n
    return 2 * (products - 4) * (of_rows + of_columns) / edge.law[1] ** 2


def _of_its_lines(edge: Edge, tau: float, kurtosis: float) -> float:
    """Variance of an outlier by the kurtosis of its row and column: (1 - 1/tau^2)^2 K (m + n)."""
    outside = (1 - 1 / tau**2) ** 2
    return outside * kurtosis * (edge.short + edge.long) / edge.law[1] ** 2


def score(s: float, law: Moments) -> float:
    """Normal quantile of the probability below s, by way of the Tracy-Widom value at it.

    >>> round(score(2.0234, Moments(MEAN, VARIANCE, SKEWNESS)), 3)
    2.326
    """
    shape = 4 / law.skewness**2
    normal = _wilson_hilferty((s - law.mean) / sqrt(law.variance), shape)
    of_tracy_widom = 4 / SKEWNESS**2
    cube = 1 - 1 / (9 * of_tracy_widom) + normal / (3 * sqrt(of_tracy_widom))
    standard = (cube**3 - 1) * sqrt(of_tracy_widom)
    return normal_quantile(MEAN + sqrt(VARIANCE) * standard)


def _wilson_hilferty(y: float, shape: float) -> float:
    """Normal quantile of the standard gamma law at y; monotone below its end too."""
    root = cbrt(1 + y / sqrt(shape))
    return (root - 1 + 1 / (9 * shape)) * 3 * sqrt(shape)
