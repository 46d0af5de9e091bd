"""Logistic: density sech^2((x - mu)/(2s)) / (4s). Its log-likelihood is concave in (mu/s, 1/s): halved Newton steps."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from .law import Fitted, Params, Twin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells


@dataclass(frozen=True)
class Logistic:
    """mu, s; equals scipy.stats.logistic."""

    name: str = "logistic"
    parameters: tuple[str, ...] = ("mu", "s")
    costly: bool = False
    typical: tuple[Params, ...] = ({"mu": 0.0, "s": 0.02}, {"mu": 1.0, "s": 0.3})

    def twin(self, p: Params) -> Twin:
        """The same law in scipy.stats."""
        return ((1.0, "logistic", {"loc": p["mu"], "scale": p["s"]}),)

    def fit(self, cells: Cells) -> Fitted:
        """Newton from the median and iqr/2.197 (= 2 ln 3) until a step changes nothing that counts."""
        b = 2 * log(3) / max(cells.iqr, 1e-3)
        a = cells.median * b
        value, gradient, hessian = _likelihood(cells, a, b)
        for _ in range(60):
            da, db = np.linalg.solve(hessian, -gradient)
            if abs(da) + abs(db) / b < 1e-9:
                break
            step = 1.0
            while (
                b + step * db <= 0
                or (new := _likelihood(cells, a + step * da, b + step * db))[0] < value - 1e-13
            ):
                step /= 2
            a, b = a + step * float(da), b + step * float(db)
            value, gradient, hessian = new
        return Fitted({"mu": a / b, "s": 1 / b})

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """-|z| - 2 ln(1 + e^-|z|) - ln s."""
        z = np.abs(x - p["mu"]) / p["s"]
        return np.asarray(-z - 2 * np.log1p(np.exp(-z)) - log(p["s"]))

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """1/(1 + e^-z)."""
        return np.asarray(special.expit((x - p["mu"]) / p["s"]))

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """mu + s ln(q/(1 - q))."""
        return np.asarray(p["mu"] + p["s"] * special.logit(q))


def _likelihood(
    cells: Cells, a: float, b: float
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Mean log-likelihood of y = b z - a, ln b - 2 ln(2 cosh(y/2)), with gradient and Hessian in (a, b)."""
    z, p = cells.z, cells.p
    y = np.abs(b * z - a)
    e = np.exp(-y)
    value = log(b) - float(p @ (y + 2 * np.log1p(e)))
    t = p * np.copysign((1 - e) / (1 + e), b * z - a)
    h = 2 * p * e / (1 + e) ** 2  # p (1 - tanh^2)/2
    hz = h * z
    ab = float(hz.sum())
    hessian = np.array([[-float(h.sum()), ab], [ab, -1 / b**2 - float(hz @ z)]])
    return value, np.array([float(t.sum()), 1 / b - float(t @ z)]), hessian
