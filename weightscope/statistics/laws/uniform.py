"""Uniform between lo and hi, as fresh initialisations are.

Both ends lie in the outermost cells, such that each end cell has the density of the others, and
never inside the smallest and largest value: half an outer cell of a narrow type does not widen the
range.
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
class Uniform:
    """lo, hi; equals scipy.stats.uniform with loc = lo, scale = hi - lo."""

    name: str = "uniform"
    parameters: tuple[str, ...] = ("lo", "hi")
    locations: tuple[str, ...] = ("lo", "hi")
    shapes: tuple[str, ...] = ()
    symmetric: bool = True
    has_mean: bool = True
    costly: bool = False
    typical: tuple[Params, ...] = ({"lo": -0.05, "hi": 0.05}, {"lo": 0.5, "hi": 1.5})

    def scipy_terms(self, p: Params) -> ScipyTerms:
        """The same law in scipy.stats."""
        arguments = {"loc": p["lo"], "scale": p["hi"] - p["lo"]}
        return ((1.0, "uniform", arguments),)

    def fit(self, cells: Cells) -> Fitted:
        """hi - lo = inner/(1 - a - b), a and b the shares in the end cells around `inner`."""
        (low, inner_low, a), (inner_high, high, b) = cells.ends
        width = (inner_high - inner_low) / (1 - a - b)
        lo = max(inner_low - a * width, low)
        hi = min(inner_high + b * width, high)
        return Fitted({"lo": min(lo, cells.minimum), "hi": max(hi, cells.maximum)})

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """-ln(hi - lo) inside."""
        lo, hi = p["lo"], p["hi"]
        slack = 1e-9 * (hi - lo)  # the weights that define the ends count as inside
        inside = (x >= lo - slack) & (x <= hi + slack)
        return np.where(inside, -log(hi - lo), -np.inf)

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """(x - lo)/(hi - lo), within 0..1."""
        lo, hi = p["lo"], p["hi"]
        share = (x - lo) / (hi - lo)
        return np.clip(share, 0.0, 1.0)

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """lo + q (hi - lo)."""
        lo, hi = p["lo"], p["hi"]
        return lo + q * (hi - lo)
