"""Student's t: mu, s and nu degrees of freedom in 1..200. Bounded Brent in ln nu; inside it PX-EM for mu and s
(Liu, Rubin and Wu 1998), warm-started from the last nu. Normal data end at nu = 200: `at_bound`."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, pi
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import optimize, special
from .law import Fitted, Params, Twin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

MOST = log(200.0)
LEAST_VARIANCE = 1e-12  # s >= 1e-6 std: half of the weights in one point have no maximum


@dataclass(frozen=True)
class StudentT:
    """mu, s, nu; equals scipy.stats.t."""

    name: str = "student_t"
    parameters: tuple[str, ...] = ("mu", "s", "nu")
    costly: bool = True
    typical: tuple[Params, ...] = (
        {"mu": 0.0, "s": 0.02, "nu": 5.0},
        {"mu": 1.0, "s": 0.3, "nu": 2.5},
    )

    def twin(self, p: Params) -> Twin:
        """The same law in scipy.stats."""
        return ((1.0, "t", {"df": p["nu"], "loc": p["mu"], "scale": p["s"]}),)

    def fit(self, cells: Cells) -> Fitted:
        """Profile over ln nu; the bounds themselves are tried, since Brent only nears them."""
        state = [cells.median, max((cells.iqr / 1.349) ** 2, LEAST_VARIANCE)]

        def cost(log_nu: float) -> float:
            state[:] = _inner(cells, exp(log_nu), state[0], state[1], 1e-6)
            return -_likelihood(cells, exp(log_nu), state[0], state[1])

        found = optimize.minimize_scalar(
            cost, bounds=(0.0, MOST), method="bounded", options={"xatol": 1e-5}
        )
        log_nu = (
            min((float(found.x), 0.0, MOST), key=cost)
            if min(found.x, MOST - found.x) < 0.01
            else float(found.x)
        )
        mu, v = _inner(cells, exp(log_nu), state[0], state[1], 1e-9)
        bound = log_nu < 1e-4 or log_nu > MOST - 1e-4 or v <= LEAST_VARIANCE
        nu = round(exp(log_nu), 12)  # 200 at the bound, not 199.99999999999991
        return Fitted({"mu": mu, "s": v**0.5, "nu": nu}, bound)

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """-(nu + 1)/2 ln(1 + z^2/nu) plus the constant."""
        z = (x - p["mu"]) / p["s"]
        return _constant(p["nu"]) - log(p["s"]) - (p["nu"] + 1) / 2 * np.log1p(z * z / p["nu"])

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Regularised incomplete beta."""
        return np.asarray(special.stdtr(p["nu"], (x - p["mu"]) / p["s"]))

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Its inverse."""
        return np.asarray(p["mu"] + p["s"] * special.stdtrit(p["nu"], q))


def _constant(nu: float) -> float:
    return lgamma((nu + 1) / 2) - lgamma(nu / 2) - log(nu * pi) / 2


def _likelihood(cells: Cells, nu: float, mu: float, v: float) -> float:
    r = cells.z - mu
    return _constant(nu) - log(v) / 2 - (nu + 1) / 2 * float(cells.p @ np.log1p(r * r / (nu * v)))


def _inner(cells: Cells, nu: float, mu: float, v: float, tolerance: float) -> tuple[float, float]:
    """PX-EM at fixed nu: weights 1/(nu v + r^2), mu their mean, v = sum w r^2 / sum w."""
    z, p = cells.z, cells.p
    for _ in range(200):
        r = z - mu
        r2 = r * r
        w = p / (r2 + nu * v)
        total = float(w.sum())
        shift = float(w @ r) / total
        new = max(float(w @ r2) / total - shift**2, LEAST_VARIANCE)
        done = abs(shift) < tolerance * v**0.5 and abs(new - v) < tolerance * v
        mu, v = mu + shift, new
        if done:
            break
    return mu, v
