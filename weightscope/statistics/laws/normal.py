"""Normal: density exp(-((x - mu)/sigma)^2 / 2) / (sigma sqrt(2 pi)); mean and standard deviation, closed form."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from .law import Fitted, Params, Twin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

HALF_LOG_TAU = log(2 * pi) / 2


@dataclass(frozen=True)
class Normal:
    """mu, sigma; equals scipy.stats.norm."""

    name: str = "normal"
    parameters: tuple[str, ...] = ("mu", "sigma")
    costly: bool = False
    typical: tuple[Params, ...] = ({"mu": 0.0, "sigma": 0.02}, {"mu": 1.0, "sigma": 0.3})

    def twin(self, p: Params) -> Twin:
        """The same law in scipy.stats."""
        return ((1.0, "norm", {"loc": p["mu"], "scale": p["sigma"]}),)

    def fit(self, cells: Cells) -> Fitted:
        """Standard units are those of this law."""
        return Fitted({"mu": 0.0, "sigma": 1.0})

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """-z^2/2 - ln sigma - ln(2 pi)/2."""
        z = (x - p["mu"]) / p["sigma"]
        return -0.5 * z * z - (HALF_LOG_TAU + log(p["sigma"]))

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Phi(z)."""
        return np.asarray(special.ndtr((x - p["mu"]) / p["sigma"]))

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """mu + sigma Phi^-1(q)."""
        return np.asarray(p["mu"] + p["sigma"] * special.ndtri(q))
