"""Logistic: density sech^2((x - mu)/(2s)) / (4s).

The log-likelihood is concave in (mu/s, 1/s): damped Newton steps find its maximum.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from .law import Fitted, Params, ScipyTerms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

    Likelihood = tuple[float, NDArray[np.float64], NDArray[np.float64]]  # value, gradient, Hessian

NEGLIGIBLE = 1e-9  # sum of the relative steps at which Newton stops
ROUNDING = 1e-13  # of the likelihood in nats per weight: a smaller loss is none


@dataclass(frozen=True)
class Logistic:
    """mu, s; equals scipy.stats.logistic."""

    name: str = "logistic"
    parameters: tuple[str, ...] = ("mu", "s")
    locations: tuple[str, ...] = ("mu",)
    shapes: tuple[str, ...] = ()
    symmetric: bool = True
    has_mean: bool = True
    costly: bool = False
    typical: tuple[Params, ...] = ({"mu": 0.0, "s": 0.02}, {"mu": 1.0, "s": 0.3})

    def scipy_terms(self, p: Params) -> ScipyTerms:
        """The same law in scipy.stats."""
        arguments = {"loc": p["mu"], "scale": p["s"]}
        return ((1.0, "logistic", arguments),)

    def fit(self, cells: Cells) -> Fitted:
        """Newton in a = mu/s and b = 1/s, from the median and s = iqr/2.197 (= 2 ln 3)."""
        b = 2 * log(3) / max(cells.iqr, 1e-3)
        a = cells.median * b
        value, gradient, hessian = _likelihood(cells, a, b)
        for _ in range(60):
            da, db = np.linalg.solve(hessian, -gradient)
            if abs(da) + abs(db) / b < NEGLIGIBLE:
                break
            step = 1.0
            while True:
                new_a, new_b = a + step * da, b + step * db
                if new_b > 0:
                    trial = _likelihood(cells, new_a, new_b)
                    lower = trial[0] < value - ROUNDING
                    if not lower:
                        break
                step /= 2
            a, b = float(new_a), float(new_b)
            value, gradient, hessian = trial
        return Fitted({"mu": a / b, "s": 1 / b})

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """-|z| - 2 ln(1 + e^-|z|) - ln s."""
        mu, s = p["mu"], p["s"]
        z = np.abs(x - mu) / s
        softplus = np.log1p(np.exp(-z))
        return np.asarray(-z - 2 * softplus - log(s))

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """1/(1 + e^-z)."""
        mu, s = p["mu"], p["s"]
        z = (x - mu) / s
        return np.asarray(special.expit(z))

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """mu + s ln(q/(1 - q))."""
        mu, s = p["mu"], p["s"]
        z = special.logit(q)
        return np.asarray(mu + s * z)


def _likelihood(cells: Cells, a: float, b: float) -> Likelihood:
    """Mean of ln b - 2 ln(2 cosh(y/2)), y = b z - a, with gradient and Hessian in (a, b)."""
    z, p = cells.z, cells.p
    y = np.abs(b * z - a)
    e = np.exp(-y)
    value = log(b) - float(p @ (y + 2 * np.log1p(e)))

    slope = p * np.copysign((1 - e) / (1 + e), b * z - a)  # p tanh(y/2)
    gradient = np.array([float(slope.sum()), 1 / b - float(slope @ z)])

    h = 2 * p * e / (1 + e) ** 2  # p (1 - tanh^2)/2
    hz = h * z
    haa = -float(h.sum())
    hab = float(hz.sum())
    hbb = -1 / b**2 - float(hz @ z)
    hessian = np.array([[haa, hab], [hab, hbb]])
    return value, gradient, hessian
