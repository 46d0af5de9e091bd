"""Spikes above a bulk of noise, and the whole spectrum against the Marchenko-Pastur law."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import pi, sqrt

import numpy as np
from scipy import integrate

from ..case import Array, Case, NotCompared
from .definition import Definition, Value
from .singular import floor, uncertain

TRACY_WIDOM = 2.0234
FEWEST = 10  # singular values of a bulk
POINTS = 4001  # of the law: 1e-9 by Simpson's rule


@cache
def _law(q: float) -> tuple[Array, Array]:
    """Points x of the Marchenko-Pastur law of variance 1, and its distribution function.

    x = low + (high - low) sin^2 t takes the roots at both edges out of the density.
    """
    low, high = (1 - sqrt(q)) ** 2, (1 + sqrt(q)) ** 2
    t = np.linspace(0, pi / 2, POINTS)
    x = low + (high - low) * np.sin(t) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        heights = (high - low) ** 2 * np.sin(t) ** 2 * np.cos(t) ** 2 * 2 / (2 * pi * q * x)
    if low < 1e-15:
        heights[0] = (high - low) * 2 / (2 * pi * q)
    mass = integrate.cumulative_simpson(heights, x=t, initial=0)
    return x, mass / mass[-1]


def distribution(at: Array, q: float) -> Array:
    x, mass = _law(q)
    low, high = x[0], x[-1]
    t = np.arcsin(np.sqrt(np.clip((at - low) / (high - low), 0, 1)))
    return np.interp(t, np.linspace(0, pi / 2, POINTS), mass)


def _distance(x: Array, q: float) -> float:
    """Kolmogorov-Smirnov distance of values to the law."""
    x = np.sort(x)
    expected = distribution(x, q)
    n = len(x)
    above = np.arange(1, n + 1) / n - expected
    below = expected - np.arange(n) / n
    return float(max(above.max(), below.max()))


def _split(case: Case) -> tuple[int, Array, int, int] | None:
    """k, all lambda descending, and the sides m <= n; None without a bulk."""
    if case.sigma is None or case.lines is None:
        return None
    m, n = sorted(case.lines.shape)
    sigma = np.where(case.sigma > floor(case), case.sigma, 0.0)
    energy = sigma**2
    for k in range(len(energy)):
        variance = energy[k:].sum() / ((m - k) * (n - k))
        a, b = sqrt(n - k - 0.5), sqrt(m - k - 0.5)
        scale = (a + b) * (1 / a + 1 / b) ** (1 / 3)
        if energy[k] <= variance * ((a + b) ** 2 + TRACY_WIDOM * scale):
            break
    if (case.sigma > uncertain(case)).sum() - k < FEWEST:
        return None
    return k, energy, m, n


def _of_split(value: Callable[[int, Array, int, int], Value]) -> Callable[[Case], Value]:
    def of(case: Case) -> Value:
        split = _split(case)
        if split is None:
            return None
        return value(*split)

    return of


def _variance(k: int, energy: Array, m: int, n: int) -> float:
    return float(energy[k:].sum() / ((m - k) * (n - k)))


def _edge(sign: int) -> Callable[[int, Array, int, int], Value]:
    def edge(k: int, energy: Array, m: int, n: int) -> float:
        return _variance(k, energy, m, n) * (sqrt(n - k) + sign * sqrt(m - k)) ** 2

    return edge


def _mp_ks(k: int, energy: Array, m: int, n: int) -> float:
    scaled = energy[k:] / ((n - k) * _variance(k, energy, m, n))
    return _distance(scaled, (m - k) / (n - k))


def _signal_ratio(k: int, energy: Array, m: int, n: int) -> float:
    return sqrt(energy[0] / (_variance(k, energy, m, n) * (sqrt(n - k) + sqrt(m - k)) ** 2))


def _q(case: Case) -> float:
    assert case.lines is not None
    return min(case.lines.shape) / max(case.lines.shape)


def _null_ks(case: Case) -> float | None:
    if case.sigma is None or case.lines is None:
        return None
    variance = float(case.lines.var())
    mean = float(case.lines.mean())
    if variance <= 1.01e-4 * mean * mean:
        return None
    return _distance(case.sigma**2 / (max(case.lines.shape) * variance), _q(case))


def near_zero(case: Case) -> float | None:
    if case.sigma is None:
        return None
    limit = 0.1 * sqrt((case.sigma**2).mean())
    if np.abs(case.sigma / limit - 1).min() < 1e-9:
        raise NotCompared
    return float((case.sigma < limit).mean())


def near_zero_null(case: Case) -> float | None:
    if case.sigma is None:
        return None
    q = _q(case)
    if sqrt(q) <= 0.9:
        return 0.0
    return float(distribution(np.array([0.01]), q)[0])


def _tail_excess(case: Case) -> float | None:
    if case.sigma is None or case.lines is None:
        return None
    m, n = case.lines.shape
    rms = sqrt((case.lines**2).mean())
    return float(case.sigma[0]) / (rms * (sqrt(m) + sqrt(n)))


def _near_mean(case: Case) -> float:
    """The variance is a difference of sums, and loses digits beside a large mean."""
    if case.std < 0.1 * abs(case.mean):
        return 1e-3
    return 1e-5


def _one(case: Case) -> float:
    return 1.0


BULK = (
    Definition("mp_sigma", _of_split(lambda *s: sqrt(_variance(*s))), 1e-7),
    Definition("mp_low", _of_split(_edge(-1)), 1e-7, unit=lambda case: case.std**2),
    Definition("mp_high", _of_split(_edge(1)), 1e-7),
    Definition("mp_ks", _of_split(_mp_ks), 1e-5),
    Definition("spikes", _of_split(lambda k, *rest: k)),
    Definition(
        "spike_energy", _of_split(lambda k, e, *_: float(e[:k].sum() / e.sum())), 1e-9, unit=_one
    ),
    Definition("signal_ratio", _of_split(_signal_ratio), 1e-7),
)
WHOLE = (
    Definition("null_ks", _null_ks, _near_mean),
    Definition("near_zero", near_zero),
    Definition("near_zero_null", near_zero_null, 1e-6, unit=_one),
    Definition("tail_excess", _tail_excess, 1e-10),
)
