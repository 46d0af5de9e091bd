"""Normal: density exp(-((x - mu)/sigma)^2 / 2) / (sigma sqrt(2 pi)), closed form."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from .law import Fitted, Params, ScipyTerms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

HALF_LOG_TAU = log(2 * pi) / 2


@dataclass(frozen=True)
class Normal:
    """mu, sigma; equals scipy.stats.norm."""

    name: str = "normal"
    parameters: tuple[str, ...] = ("mu", "sigma")
    locations: tuple[str, ...] = ("mu",)
    shapes: tuple[str, ...] = ()
    symmetric: bool = True
    has_mean: bool = True
    costly: bool = False
    typical: tuple[Params, ...] = ({"mu": 0.0, "sigma": 0.02}, {"mu": 1.0, "sigma": 0.3})

    def scipy_terms(self, p: Params) -> ScipyTerms:
        """The same law in scipy.stats."""
        arguments = {"loc": p["mu"], "scale": p["sigma"]}
        return ((1.0, "norm", arguments),)

    def fit(self, cells: Cells) -> Fitted:
        """Standard units are those of this law, mean 0 and std 1, but for cells that EM spreads."""
        if cells.parts is None:
            return Fitted({"mu": 0.0, "sigma": 1.0})
        mu = float(cells.p @ cells.z)
        sigma = sqrt(float(cells.p @ (cells.z - mu) ** 2))
        return Fitted({"mu": mu, "sigma": sigma})

    def errors(self, cells: Cells, p: Params) -> dict[str, float]:
        """None are known."""
        return {}

    def within(self, p: Params) -> bool:
        """Whether the parameters are between their bounds: there are none."""
        return True

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """-z^2/2 - ln sigma - ln(2 pi)/2."""
        mu, sigma = p["mu"], p["sigma"]
        z = (x - mu) / sigma
        return -0.5 * z * z - (HALF_LOG_TAU + log(sigma))

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Phi(z)."""
        mu, sigma = p["mu"], p["sigma"]
        z = (x - mu) / sigma
        return np.asarray(special.ndtr(z))

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """mu + sigma Phi^-1(q)."""
        mu, sigma = p["mu"], p["sigma"]
        z = special.ndtri(q)
        return np.asarray(mu + sigma * z)
