"""Generalised normal: f = beta/(2 alpha Gamma(1/beta)) exp(-(|x - mu|/alpha)^beta), beta in 0.1..8.

alpha is closed form given mu and beta; mu is a reweighted mean where beta >= 1.05 and the median below (the
likelihood has a cusp at every point there); bounded Brent in ln beta, whose error is the profile's curvature.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import optimize, special
from .law import Fitted, Params, Twin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

LEAST, MOST = log(0.1), log(8.0)
SMOOTH = 1.05
FLOOR = 1e-9  # |x - mu| in std: keeps ln finite where mu is a stored value


@dataclass(frozen=True)
class Gennorm:
    """mu, alpha, beta; equals scipy.stats.gennorm. beta = 2 is normal, 1 Laplace."""

    name: str = "gennorm"
    parameters: tuple[str, ...] = ("mu", "alpha", "beta")
    costly: bool = True
    typical: tuple[Params, ...] = (
        {"mu": 0.0, "alpha": 0.02, "beta": 1.4},
        {"mu": 0.0, "alpha": 0.02, "beta": 0.7},
        {"mu": 1.0, "alpha": 0.3, "beta": 3.0},
    )

    def twin(self, p: Params) -> Twin:
        """The same law in scipy.stats."""
        return ((1.0, "gennorm", {"beta": p["beta"], "loc": p["mu"], "scale": p["alpha"]}),)

    def fit(self, cells: Cells) -> Fitted:
        """Profile over ln beta; the bounds themselves are tried, since Brent only nears them."""
        mu = [cells.median]

        def cost(log_beta: float) -> float:
            mu[0], moment = _inner(cells, exp(log_beta), mu[0])
            return -_likelihood(exp(log_beta), moment)

        found = optimize.minimize_scalar(
            cost, bounds=(LEAST, MOST), method="bounded", options={"xatol": 1e-5}
        )
        best = float(found.x)
        if min(best - LEAST, MOST - best) < 0.01:
            best = min((best, LEAST, MOST), key=cost)
        beta = round(exp(best), 12)  # 8 at the bound, not 7.999999999999998
        centre, moment = _inner(cells, beta, mu[0])
        bound = best < LEAST + 1e-4 or best > MOST - 1e-4
        errors = {} if bound else {"beta": beta * _error(cost, best)}
        return Fitted(
            {"mu": centre, "alpha": (beta * moment) ** (1 / beta), "beta": beta}, bound, errors
        )

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """-(|x - mu|/alpha)^beta + ln(beta/(2 alpha)) - ln Gamma(1/beta)."""
        z = np.abs(x - p["mu"]) / p["alpha"]
        return log(p["beta"] / (2 * p["alpha"])) - lgamma(1 / p["beta"]) - z ** p["beta"]

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Regularised incomplete gamma of |z|^beta, half on each side."""
        z = (x - p["mu"]) / p["alpha"]
        half = 0.5 * special.gammaincc(1 / p["beta"], np.abs(z) ** p["beta"])
        return np.asarray(np.where(z > 0, 1 - half, half))

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Its inverse."""
        z = special.gammainccinv(1 / p["beta"], 2 * np.minimum(q, 1 - q)) ** (1 / p["beta"])
        return np.asarray(p["mu"] + p["alpha"] * np.sign(q - 0.5) * z)


def _likelihood(beta: float, moment: float) -> float:
    """Mean log-likelihood at the best alpha, moment = mean |x - mu|^beta."""
    return log(beta / 2) - log(beta * moment) / beta - lgamma(1 / beta) - 1 / beta


def _inner(cells: Cells, beta: float, mu: float) -> tuple[float, float]:
    """mu and mean |x - mu|^beta at fixed beta; the reweighted step is divided by beta - 1 where it would overshoot."""
    z, p = cells.z, cells.p
    if beta < SMOOTH:
        return cells.median, float(
            p @ np.exp(beta * np.log(np.maximum(np.abs(z - cells.median), FLOOR)))
        )
    for _ in range(100):
        r = z - mu
        w = p * np.exp((beta - 2) * np.log(np.maximum(np.abs(r), 1e-4)))
        wr = w * r
        step = float(wr.sum()) / (float(w.sum()) * max(1.0, beta - 1))
        if abs(step) < 1e-7:
            break
        mu += step
    return mu, float(wr @ r)


def _error(cost, best: float) -> float:  # type: ignore[no-untyped-def]
    """Standard error of ln beta for one weight: curvature^-1/2 of the profile, by a central difference."""
    h = 0.02
    curvature = (cost(best - h) - 2 * cost(best) + cost(best + h)) / h**2
    return float(curvature**-0.5) if curvature > 0 else float("nan")
