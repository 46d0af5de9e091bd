"""Normal cut off at mu +- cut: mu the mean, cut the largest distance from it, sigma by maximum likelihood.

The core of an "optimal weight" (arXiv 2501.10661). E(x - mu)^2/cut^2 falls from 1/3 (uniform) as cut/sigma grows, so
sigma is one root; `at_bound` where the data reach 1/3 and no sigma is large enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, exp, log, pi, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import optimize, special
from .law import Fitted, Params, Twin
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
    costly: bool = False
    typical: tuple[Params, ...] = (
        {"mu": 0.0, "sigma": 0.02, "cut": 0.04},
        {"mu": 1.0, "sigma": 0.3, "cut": 0.5},
    )

    def twin(self, p: Params) -> Twin:
        """The same law in scipy.stats."""
        a = p["cut"] / p["sigma"]
        return ((1.0, "truncnorm", {"a": -a, "b": a, "loc": p["mu"], "scale": p["sigma"]}),)

    def fit(self, cells: Cells) -> Fitted:
        """One root of the variance share in cut/sigma."""
        cut = max(-cells.minimum, cells.maximum)
        share = 1 / cut**2
        if share >= _share(LEAST):
            return Fitted({"mu": 0.0, "sigma": cut / LEAST, "cut": cut}, at_bound=True)
        a = optimize.brentq(lambda a: _share(a) - share, LEAST, 2 * cut + 2, xtol=1e-12)
        return Fitted({"mu": 0.0, "sigma": cut / a, "cut": cut})

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """The normal's, over its mass between the cuts."""
        z, a = (x - p["mu"]) / p["sigma"], p["cut"] / p["sigma"]
        inside = -0.5 * z * z - (HALF_LOG_TAU + log(p["sigma"]) + log(erf(a / sqrt(2))))
        return np.where(
            np.abs(z) <= a * (1 + 1e-9), inside, -np.inf
        )  # the weight that set the cut is inside

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """(Phi(z) - Phi(-a))/(2 Phi(a) - 1), within 0..1."""
        a = p["cut"] / p["sigma"]
        z = np.clip((x - p["mu"]) / p["sigma"], -a, a)
        return np.asarray(
            np.clip((special.ndtr(z) - special.ndtr(-a)) / erf(a / sqrt(2)), 0.0, 1.0)
        )

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Its inverse."""
        a = p["cut"] / p["sigma"]
        return np.asarray(
            p["mu"] + p["sigma"] * special.ndtri(special.ndtr(-a) + q * erf(a / sqrt(2)))
        )


def _share(a: float) -> float:
    """E z^2/a^2 of a standard normal between -a and a."""
    return (1 - 2 * a * exp(-a * a / 2) / sqrt(2 * pi) / erf(a / sqrt(2))) / a**2
