"""Normal cut off at mu +- cut: mu the mean, cut the largest distance from it, sigma fitted.

The central part of an "optimal weight" (arXiv 2501.10661). E(x - mu)^2/cut^2 falls from 1/3
(uniform) as cut/sigma grows, so sigma is one root; `at_bound` where the data reach 1/3 and no sigma
is large enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, exp, log, pi, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import optimize, special
from .law import Fitted, Params, ScipyTerms
from .normal import HALF_LOG_TAU

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

LEAST = 0.05  # cut/sigma: the density is flat to 0.1% there


@dataclass(frozen=True)
class Truncnorm:
    """mu, sigma, cut; equals scipy.stats.truncnorm with a = -b = -cut/sigma."""

    name: str = "truncnorm"
    parameters: tuple[str, ...] = ("mu", "sigma", "cut")
    locations: tuple[str, ...] = ("mu",)
    shapes: tuple[str, ...] = ()
    symmetric: bool = True
    has_mean: bool = True
    costly: bool = False
    typical: tuple[Params, ...] = (
        {"mu": 0.0, "sigma": 0.02, "cut": 0.04},
        {"mu": 1.0, "sigma": 0.3, "cut": 0.5},
    )

    def scipy_terms(self, p: Params) -> ScipyTerms:
        """The same law in scipy.stats."""
        a = p["cut"] / p["sigma"]
        arguments = {"a": -a, "b": a, "loc": p["mu"], "scale": p["sigma"]}
        return ((1.0, "truncnorm", arguments),)

    def fit(self, cells: Cells) -> Fitted:
        """One root of the variance share in cut/sigma."""
        cut = max(-cells.minimum, cells.maximum)
        share = float(cells.p @ cells.z**2) / cut**2
        if share >= _variance_share(LEAST):
            return Fitted({"mu": 0.0, "sigma": cut / LEAST, "cut": cut}, at_bound=True)

        def excess(a: float) -> float:
            return _variance_share(a) - share

        a = optimize.brentq(excess, LEAST, 2 * cut + 2, xtol=1e-12)
        return Fitted({"mu": 0.0, "sigma": cut / a, "cut": cut})

    def errors(self, cells: Cells, p: Params) -> dict[str, float]:
        """None are known."""
        return {}

    def within(self, p: Params) -> bool:
        """Whether sigma is between its bounds."""
        return p["sigma"] <= p["cut"] / LEAST

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """The normal's, over its mass between the cuts."""
        mu, sigma = p["mu"], p["sigma"]
        a = p["cut"] / sigma
        z = (x - mu) / sigma
        log_density = -0.5 * z * z - (HALF_LOG_TAU + log(sigma) + log(_mass(a)))
        inside = np.abs(z) <= a * (1 + 1e-9)  # the weight that defines the cut counts as inside
        return np.where(inside, log_density, -np.inf)

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """(Phi(z) - Phi(-a))/(2 Phi(a) - 1), within 0..1."""
        mu, sigma = p["mu"], p["sigma"]
        a = p["cut"] / sigma
        z = np.clip((x - mu) / sigma, -a, a)
        below = (special.ndtr(z) - special.ndtr(-a)) / _mass(a)
        return np.asarray(np.clip(below, 0.0, 1.0))

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Its inverse."""
        mu, sigma = p["mu"], p["sigma"]
        a = p["cut"] / sigma
        z = special.ndtri(special.ndtr(-a) + q * _mass(a))
        return np.asarray(mu + sigma * z)


def _mass(a: float) -> float:
    """P(|z| <= a) of a standard normal, 2 Phi(a) - 1."""
    return erf(a / sqrt(2))


def _variance_share(a: float) -> float:
    """E z^2/a^2 of a standard normal between -a and a."""
    both_ends = 2 * a * exp(-a * a / 2) / sqrt(2 * pi)
    missing = both_ends / _mass(a)
    return (1 - missing) / a**2
