"""Mean and standard deviation of the number of small singular values of i.i.d. elements.

Singular values repel each other, so that their number below a limit varies by its logarithm only.
Over the shape of the law a sum of f(x) has the mean r int f dF + (f(low) + f(high))/4 - a_0/4 and
the variance sum k a_k^2/2 (Bai and Silverstein, Annals of Probability 32, 2004), with the Chebyshev
coefficients of `linear_statistic`. The limit is a share of the RMS, which takes off the term k = 1.
For a number below a limit the sum ends where singular values are discrete, with the constant of the
number variance of the Gaussian orthogonal ensemble (Mehta, Random Matrices).
"""

from __future__ import annotations

from math import acos, log, pi, sin, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .linear_statistic import ORDERS, Elements, shift

if TYPE_CHECKING:
    from .linear_statistic import Array

EULER = 0.5772156649015329
FEWEST = 0.5  # expected values: fewer make a count of 0 or 1, which has no width


def small_values_law(
    share: float, limit: float, q: float, r: int, elements: Elements
) -> tuple[float, float] | None:
    """Mean and deviation of the number of r singular values below `limit` of their RMS.

    `share` is the Marchenko-Pastur law's, theta the angle of x = limit^2, g = dF/dtheta:
    r share + 1/4 - theta/(2 pi) + `shift`, which is kurtosis sin(2 theta)/(2 pi) without far
    weights, and the variance (ln(4 pi r g sin(theta)) + 1.5772 - pi^2/8 - 2 sin(theta)^2)/pi^2.
    None where the mean is below 1/2.

    >>> mean, deviation = small_values_law(0.0636, 0.1, 1.0, 64, Elements(0.0))
    >>> round(mean, 2), round(deviation, 3)
    (4.3, 0.657)
    """
    x = limit**2
    cosine = (1 + q - x) / (2 * sqrt(q))
    if not -1 < cosine < 1:
        return None
    theta = acos(cosine)
    a = _step(theta)
    # no singular value leaves the bulk for a smaller one
    shifted = shift(a, np.zeros_like, q, elements)
    mean = r * share + 1 / 4 - theta / (2 * pi) + shifted
    if mean < FEWEST:
        return None
    density = 2 * sin(theta) ** 2 / (pi * x)  # dF/dtheta
    discrete = log(4 * pi * r * density * sin(theta)) + EULER + 1 - pi**2 / 8
    return mean, sqrt((discrete - 2 * sin(theta) ** 2) / pi**2)


def _step(theta: float) -> Array:
    """Chebyshev coefficients of 1 where phi = pi - theta' is beyond pi - theta."""
    k = np.arange(1, ORDERS)
    sign = np.where(k % 2, -1.0, 1.0)
    waves = sign * np.sin(k * theta) * 2 / (pi * k)
    return np.concatenate(([2 * theta / pi], waves))
