"""Laplace: density exp(-|x - mu|/b) / (2b).

In closed form: mu is the weighted median, b the mean distance from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .law import Fitted, Params, ScipyTerms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells


@dataclass(frozen=True)
class Laplace:
    """mu, b; equals scipy.stats.laplace."""

    name: str = "laplace"
    parameters: tuple[str, ...] = ("mu", "b")
    locations: tuple[str, ...] = ("mu",)
    shapes: tuple[str, ...] = ()
    symmetric: bool = True
    has_mean: bool = True
    costly: bool = False
    typical: tuple[Params, ...] = ({"mu": 0.0, "b": 0.02}, {"mu": -1.0, "b": 0.5})

    def scipy_terms(self, p: Params) -> ScipyTerms:
        """The same law in scipy.stats."""
        arguments = {"loc": p["mu"], "scale": p["b"]}
        return ((1.0, "laplace", arguments),)

    def fit(self, cells: Cells) -> Fitted:
        """Median and mean absolute deviation from it."""
        deviation = np.abs(cells.z - cells.median)
        b = float(cells.p @ deviation)
        return Fitted({"mu": cells.median, "b": b})

    def errors(self, cells: Cells, p: Params) -> dict[str, float]:
        """None are known."""
        return {}

    def within(self, p: Params) -> bool:
        """Whether the parameters are between their bounds: there are none."""
        return True

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """-|x - mu|/b - ln 2b."""
        mu, b = p["mu"], p["b"]
        distance = np.abs(x - mu)
        return -distance / b - log(2 * b)

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """exp(-|z|)/2 below mu, one minus that above."""
        mu, b = p["mu"], p["b"]
        z = (x - mu) / b
        tail = 0.5 * np.exp(-np.abs(z))
        return np.where(z > 0, 1 - tail, tail)

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """mu +- b ln(2 min(q, 1 - q))."""
        mu, b = p["mu"], p["b"]
        tail = np.minimum(q, 1 - q)
        side = np.sign(q - 0.5)
        return np.asarray(mu - b * side * np.log(2 * tail))
