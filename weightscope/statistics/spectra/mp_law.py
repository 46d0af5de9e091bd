"""The Marchenko-Pastur law of the squared singular values of a large matrix of i.i.d. elements.

x = lambda/(max(m,n) s2) for elements of variance s2, q = min(m,n)/max(m,n) in (0, 1]; x lies
between (1 - sqrt q)^2 and (1 + sqrt q)^2 and has mean 1. With x = 1 + q - 2 sqrt(q) cos(theta) the
distribution function is elementary, and theta runs over [0, pi]: neither the edges nor q = 1, where
the density has a pole at 0, are special cases.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def mp_edges(q: float) -> tuple[float, float]:
    """Lower and upper end of the law: (1 -+ sqrt q)^2.

    >>> mp_edges(0.25)
    (0.25, 2.25)
    """
    root = sqrt(q)
    return (1 - root) ** 2, (1 + root) ** 2


def mp_pdf(x: ArrayLike, q: float) -> NDArray[np.float64]:
    """Density sqrt((high - x)(x - low))/(2 pi q x) between the edges, 0 on them and beyond.

    >>> round(float(mp_pdf(2.0, 1.0)) * 2 * pi, 12), float(mp_pdf(5.0, 1.0))
    (1.0, 0.0)
    """
    x = np.asarray(x, np.float64)
    low, high = mp_edges(q)
    inside = (x > low) & (x < high)
    at = np.where(inside, x, 1.0)  # 1: no division by 0 outside
    root = np.sqrt(np.maximum((high - at) * (at - low), 0.0))
    return np.where(inside, root / (2 * pi * q * at), 0.0)


def mp_cdf(x: ArrayLike, q: float) -> NDArray[np.float64]:
    """F = theta/pi + (sqrt(q) sin(theta) - (1 - q) delta)/(pi q), 0 below the edges and 1 above.

    tan(delta) = sqrt(q) sin(theta)/(1 - sqrt(q) cos(theta)). Equals the integral of `mp_pdf` to
    about 1e-16/sqrt q.

    >>> float(mp_cdf(4.0, 1.0)), round(float(mp_cdf(1.0, 1.0)), 4)
    (1.0, 0.609)
    """
    x = np.asarray(x, np.float64)
    low, high = mp_edges(q)
    # The half-angle form keeps digits at both edges, where cos(theta) would lose them.
    above_low = np.sqrt(np.maximum(x - low, 0.0))
    below_high = np.sqrt(np.maximum(high - x, 0.0))
    theta = 2 * np.arctan2(above_low, below_high)
    root = sqrt(q)
    sine = np.sin(theta)
    delta = np.arctan2(root * sine, 1 - root * np.cos(theta))
    distribution = theta / pi + (root * sine - (1 - q) * delta) / (pi * q)
    return np.asarray(np.clip(distribution, 0.0, 1.0))


def mp_ks(x: NDArray[np.float64], q: float) -> float:
    """sup|F_emp - F| of values in descending order; equals scipy.stats.kstest against `mp_cdf`."""
    law = mp_cdf(x[::-1], q)
    count = len(x)
    # F_emp jumps by 1/count at each value: `above` is after the jump.
    above = np.arange(1, count + 1) / count - law
    return float(max(above.max(), 1 / count - above.min()))


def mp_mean_root(q: float) -> float:
    """E sqrt(x) = 2F1(-1/2, 1/2; 2; q): the moment formula E x^k = 2F1(-k, 1-k; 2; q) at k = 1/2.

    >>> round(mp_mean_root(1.0) * 3 * pi, 12)
    8.0
    """
    return float(special.hyp2f1(-0.5, 0.5, 2.0, q))
