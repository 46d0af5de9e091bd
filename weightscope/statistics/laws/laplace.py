"""Laplace: density exp(-|x - mu|/b) / (2b); mu the weighted median, b the mean distance from it, closed form."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .law import Fitted, Params, Twin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells


@dataclass(frozen=True)
class Laplace:
    """mu, b; equals scipy.stats.laplace."""

    name: str = "laplace"
    parameters: tuple[str, ...] = ("mu", "b")
    costly: bool = False
    typical: tuple[Params, ...] = ({"mu": 0.0, "b": 0.02}, {"mu": -1.0, "b": 0.5})

    def twin(self, p: Params) -> Twin:
        """The same law in scipy.stats."""
        return ((1.0, "laplace", {"loc": p["mu"], "scale": p["b"]}),)

    def fit(self, cells: Cells) -> Fitted:
        """Median and mean absolute deviation from it."""
        return Fitted({"mu": cells.median, "b": float(cells.p @ np.abs(cells.z - cells.median))})

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """-|x - mu|/b - ln 2b."""
        return -np.abs(x - p["mu"]) / p["b"] - log(2 * p["b"])

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """exp(-|z|)/2 below mu, one minus that above."""
        z = (x - p["mu"]) / p["b"]
        half = 0.5 * np.exp(-np.abs(z))
        return np.where(z > 0, 1 - half, half)

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """mu +- b ln(2 min(q, 1 - q))."""
        return np.asarray(p["mu"] - p["b"] * np.sign(q - 0.5) * np.log(2 * np.minimum(q, 1 - q)))
