"""The Tracy-Widom law of real elements: the normal quantile of its probability.

The largest eigenvalue of noise, centred and scaled by Johnstone (Annals of Statistics 29, 2001)
with the half of Ma (Bernoulli 18, 2012), has this law to second order. The table is made by
`reference/build_edge.py`; beyond it are the tails of Baik, Buckingham and DiFranco
(Communications in Mathematical Physics 280, 2008).
"""

from __future__ import annotations

from functools import lru_cache
from math import log, pi, sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

TABLE = Path(__file__).parent / "reference" / "tracy_widom.npy"
GRID = tuple(step / 20 for step in range(-150, 241))  # s = -7.5 to 12: interpolated to 2e-5
STEP = 0.05
MEAN = -1.2065335745820
VARIANCE = 1.6077810345810
SKEWNESS = 0.2934645240
LOG_LEFT = -11 / 48 * log(2) - 0.1654211437 / 2  # zeta'(-1)/2: the constant of the left tail


def centre_and_scale(m: ArrayLike, n: ArrayLike) -> tuple[Array, Array]:
    """mu = (a+b)^2 and sc = (a+b)(1/a+1/b)^(1/3), a and b the roots of the sides less 1/2.

    lambda_1 of m x n unit noise is mu + sc s. As in Ma; beta = 1.

    >>> mu, sc = centre_and_scale(64, 64)
    >>> round(float(mu), 9), round(float(sc), 3)
    (254.0, 10.053)
    """
    a = np.sqrt(np.asarray(n) - 0.5)
    b = np.sqrt(np.asarray(m) - 0.5)
    both = a + b
    centre = both**2
    scale = both * np.cbrt(1 / a + 1 / b)
    return np.asarray(centre), np.asarray(scale)


def normal_quantile(s: float) -> float:
    """z of Phi(z) = F(s), strictly monotone.

    >>> round(normal_quantile(2.0234), 3), round(normal_quantile(-1.3), 3)
    (2.326, -0.025)
    """
    if s < GRID[0]:
        return float(special.ndtri_exp(_log_below(s)))
    if s > GRID[-1]:
        return -float(special.ndtri_exp(_log_above(s)))
    at = (s - GRID[0]) / STEP
    row = min(int(at), len(GRID) - 2)
    below, above = _table()[row : row + 2]
    return float(below + (at - row) * (above - below))


@lru_cache(maxsize=1)
def _table() -> Array:
    quantiles: Array = np.load(TABLE)
    return quantiles


def _log_below(s: float) -> float:
    """ln F far on the left: -t^3/24 - t^(3/2)/(3 sqrt 2) - ln(t)/16 + ..., t = -s."""
    t = -s
    power = t * sqrt(t)
    far = -(t**3) / 24 - power / (3 * sqrt(2)) - log(t) / 16
    return LOG_LEFT + far - 1 / (24 * sqrt(2) * power)


def _log_above(s: float) -> float:
    """ln(1 - F) far on the right: half the integral of Ai, -2 s^(3/2)/3 - ln(4 sqrt pi s^(3/4))."""
    power = s * sqrt(s)
    return -2 / 3 * power - log(4 * sqrt(pi)) - 0.75 * log(s) - 41 / (48 * power)
