"""How kurtosis and far weights shift a sum of f(x) over the spectrum of i.i.d. elements.

x are squared singular values over max(m,n) times the mean square, so that a sum does not depend on
the unit. With phi of x = 1 + q + 2 sqrt(q) cos(phi) and the Chebyshev coefficients a_k of f, a
weight of square s (in mean squares), tau = s/sqrt(mn), adds sum a_k tau^k/2 where tau < 1. Beyond,
its singular value leaves the bulk for x(tau), (tau + 1/tau)/2 in place of cos(phi). The term k = 1
goes into the mean square, the terms k = 2 of all weights add up to kurtosis a_2/2 (Lytova and
Pastur, Annals of Probability 37, 2009; of far weights Benaych-Georges and Nadakuditi, Journal of
Multivariate Analysis 111, 2012).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ..lines.spread_law import without_zeros

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import ValueCounts
    from .spectrum import Spectrum

    Array = NDArray[np.float64]

ORDERS = 64  # of Chebyshev: a step function ends 0.01 off at tau = 1
FEWEST = 16  # singular values of a score
FAR = 0.1  # tau from which the terms k > 2 count


def _none() -> Array:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Elements:
    """Excess kurtosis, tau of the far weights with their number, and that of the largest weight."""

    kurtosis: float
    tau: Array = field(default_factory=_none)
    number: Array = field(default_factory=_none)
    largest: float = 0.0  # exact, where the others are in bins


def elements_of(s: Spectrum, counts: ValueCounts) -> Elements | None:
    """Those of the lines that are not zero; None for thin products and few singular values."""
    if s.low_rank or min(s.m, s.n) < FEWEST:
        return None
    size, power = s.m * s.n, counts.power
    if (s.m, s.n) != tuple(s.shape):
        power = without_zeros(power, size)
    if not isfinite(power.kurtosis):
        return None
    reach = sqrt(FAR) * size**0.25 * power.std
    below = np.searchsorted(counts.value, power.mean - reach)
    above = np.searchsorted(counts.value, power.mean + reach, side="right")
    value = np.concatenate((counts.value[:below], counts.value[above:]))
    number = np.concatenate((counts.counts[:below], counts.counts[above:]))
    tau = ((value - power.mean) / power.std) ** 2 / sqrt(size)
    reached = max(counts.maximum - power.mean, power.mean - counts.minimum)
    largest = (reached / power.std) ** 2 / sqrt(size)
    return Elements(float(power.kurtosis), tau, number.astype(np.float64), float(largest))


def shift(a: Array, f: Callable[[Array], Array], q: float, elements: Elements) -> float:
    """What the elements add to the sum of f of Gaussian ones; a are the coefficients of f.

    >>> of_squares = np.array([6.0, 8.0, 2.0])  # of x^2 at q = 1
    >>> shift(of_squares, np.square, 1.0, Elements(3.0))
    3.0
    """
    added = a[2] / 2 * elements.kurtosis
    tau = elements.tau
    if not len(tau):
        return float(added)
    inside = np.minimum(tau, 1 / tau)
    series = np.polynomial.polynomial.polyval(inside, np.concatenate(([0.0], a[1:] / 2)))
    left = f(1 + q + sqrt(q) * (tau + 1 / tau)) - a[0] / 2 - series
    whole = np.where(tau < 1, series, left)
    beyond = whole - a[1] * tau / 2 - a[2] * tau**2 / 2
    return float(added + beyond @ elements.number)
