"""Scores of a spectrum: values beside the mean and the deviation of i.i.d. elements.

Coefficients of Chebyshev by quadrature, far weights one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt

import numpy as np
from scipy import fft, stats

from ..case import Array, Case, NotCompared
from .definition import Definition
from .noise import distribution, near_zero, near_zero_null
from .singular import identity, orthogonality_null


def _one(case: Case) -> float:
    return 1.0


def _q(case: Case) -> float:
    assert case.lines is not None
    return min(case.lines.shape) / max(case.lines.shape)


def kurtosis(case: Case) -> float | None:
    """Excess kurtosis of the lines that are not zero; None below 16 of either."""
    lines = case.lines
    if lines is None or min(lines.shape) < 16:
        return None
    if lines.std() < 1e-6 * abs(float(lines.mean())):
        raise NotCompared  # of a constant, or nearly: rounding
    return float(stats.kurtosis(lines, axis=None))


def coefficients(f: Callable[[Array], Array], q: float, orders: int = 64) -> Array:
    """Chebyshev coefficients of f(x), x = 1 + q + 2 sqrt(q) cos(phi), by quadrature."""
    phi = (np.arange(200_000) + 0.5) * pi / 200_000
    heights = f(1 + q + 2 * sqrt(q) * np.cos(phi))
    # 2 mean(heights cos(k phi)) of each k is a cosine transform
    return np.asarray(fft.dct(heights)[:orders] / len(phi))


def shifted(case: Case, a: Array, outside: Callable[[float], float]) -> float | None:
    """What the kurtosis and each far weight add to a sum over the singular values.

    `outside(x)` is the value beyond the bulk.
    """
    of_elements, lines = kurtosis(case), case.lines
    if of_elements is None or lines is None:
        return None
    q, added = _q(case), a[2] / 2 * of_elements
    for tau in far_weights(case):
        t = min(tau, 1 / tau)
        whole = float(sum(a[k] * t**k / 2 for k in range(1, len(a))))
        if tau > 1:
            whole = outside(1 + q + sqrt(q) * (tau + 1 / tau)) - a[0] / 2 - whole
        added += whole - a[1] * tau / 2 - a[2] * tau**2 / 2
    return float(added)


def far_weights(case: Case) -> Array:
    """Squares over the variance and the root of their number, from 0.1 on."""
    lines = case.lines
    assert lines is not None
    tau = (lines - lines.mean()) ** 2 / lines.var() / sqrt(lines.size)
    if (np.abs(tau - 0.1) < (0.002 if case.is_wide else 1e-9)).any():
        raise NotCompared  # rounding decides whether it is far
    if (tau > 0.1).sum() > 500:
        raise NotCompared  # too slow
    return tau[tau > 0.1]


def _near_zero_score(case: Case) -> float | None:
    """The count beside its mean and number variance, coefficients of Chebyshev by quadrature."""
    share = near_zero(case)
    if share is None or case.sigma is None:
        return None
    q, r = _q(case), len(case.sigma)
    low = (1 - sqrt(q)) ** 2
    if low >= 0.01:
        return None
    a = coefficients(lambda x: (x < 0.01).astype(float), q)
    moved = shifted(case, a, lambda x: 0.0)
    if moved is None:
        return None
    mean = r * float(near_zero_null(case) or 0) + 1 / 4 - a[0] / 4 + moved
    if mean < 0.5:
        return None
    theta, h = a[0] * pi / 2, 1e-4
    edges = low + 4 * sqrt(q) * np.sin((theta + np.array([-h, h])) / 2) ** 2
    spacing = float(np.diff(distribution(edges, q))[0]) / (2 * h) * r
    rigid = np.log(4 * pi * spacing * np.sin(theta)) + np.euler_gamma + 1 - pi**2 / 8
    variance = rigid / pi**2 - a[1] ** 2 / 2
    return float((r * share - mean) / np.sqrt(variance))


def _orthogonality_score(case: Case) -> float | None:
    """Beside the mean of sigma and the variance of a sum of roots, both by Chebyshev series."""
    lines, sigma = case.lines, case.sigma
    if lines is None or sigma is None:
        return None
    (m, n), r = lines.shape, len(sigma)
    q = _q(case)
    a = coefficients(np.sqrt, q)
    moved = shifted(case, a, sqrt)
    null = orthogonality_null(case, sigma)
    if moved is None:
        return None
    root = 1 / sqrt(1 + null**2) + (0.5 - a[0] / 4 + moved) / r
    if not 0 < root < 1:
        return None
    expected = sqrt(1 / root**2 - 1)
    pairs = (kurtosis(case) or 0.0) + 2
    pairs = max(pairs**2 - float((far_weights(case) ** 4).sum()), 0.0)
    k = np.arange(len(a))
    parts = k * a**2 / 2
    parts[2] *= 1 + pairs * (1 / m + 1 / n) / 2
    deviation = sqrt(parts[2:].sum()) / (r * root**3 * expected)
    return float((stats.variation(sigma) - expected) / deviation)


def _identity_score(case: Case) -> float | None:
    """Beside the mean of sums of d of N squares in random order."""
    matrix, of_elements, sigma = case.matrix, kurtosis(case), case.sigma
    if matrix is None or sigma is None:
        return None
    if of_elements is None or case.lines is None or case.lines.shape != matrix.shape:
        return None
    size, d = matrix.size, max(matrix.shape)
    relative = (of_elements + 2) * d * (size - d) / (size - 1)
    if relative <= 0:
        return None
    return (identity(case, sigma) * size - d) / sqrt(relative)


SPECTRAL_SCORES = (
    Definition("near_zero_score", _near_zero_score, 2e-3, unit=_one, wide=0.02),
    Definition("orthogonality_score", _orthogonality_score, 1e-3, unit=_one, wide=0.02),
    Definition("identity_score", _identity_score, 1e-4, unit=_one),
)
