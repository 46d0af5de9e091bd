"""Uniform between lo and hi, as fresh initialisations are.

The ends lie inside the outermost cells, placed so that each end cell has the density of the rest, and never inside
the smallest and largest value: half an outer cell of a narrow type is not counted as room.
"""

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
class Uniform:
    """lo, hi; equals scipy.stats.uniform with loc = lo, scale = hi - lo."""

    name: str = "uniform"
    parameters: tuple[str, ...] = ("lo", "hi")
    costly: bool = False
    typical: tuple[Params, ...] = ({"lo": -0.05, "hi": 0.05}, {"lo": 0.5, "hi": 1.5})

    def twin(self, p: Params) -> Twin:
        """The same law in scipy.stats."""
        return ((1.0, "uniform", {"loc": p["lo"], "scale": p["hi"] - p["lo"]}),)

    def fit(self, cells: Cells) -> Fitted:
        """With shares a and b in the end cells and `inner` between them, hi - lo = inner/(1 - a - b)."""
        (low, inner_low, a), (inner_high, high, b) = cells.ends
        width = (inner_high - inner_low) / (1 - a - b)
        lo = min(max(inner_low - a * width, low), cells.minimum)
        hi = max(min(inner_high + b * width, high), cells.maximum)
        return Fitted({"lo": lo, "hi": hi})

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """-ln(hi - lo) inside."""
        slack = 1e-9 * (p["hi"] - p["lo"])  # the weights that set the ends are inside
        inside = (x >= p["lo"] - slack) & (x <= p["hi"] + slack)
        return np.where(inside, -log(p["hi"] - p["lo"]), -np.inf)

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """(x - lo)/(hi - lo), within 0..1."""
        return np.clip((x - p["lo"]) / (p["hi"] - p["lo"]), 0.0, 1.0)

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """lo + q (hi - lo)."""
        return p["lo"] + q * (p["hi"] - p["lo"])
