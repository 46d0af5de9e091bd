"""Student's t: location mu, scale s and nu degrees of freedom, nu in 1..200.

Bounded Brent in ln nu; at each nu PX-EM for mu and s (Liu, Rubin and Wu 1998), started from the mu
and s of the nu before. Gaussian data end at nu = 200, `at_bound`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, pi
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from .law import Fitted, Params, ScipyTerms
from .profile import minimum_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

LEAST = log(1.0)  # of ln nu
MOST = log(200.0)
ROUNDS, LAST_ROUNDS = 200, 2000  # of EM at each nu, and at the last one
FEW = 128  # weights: of so few the likelihood has several maxima in mu
STARTS = 7
CLOSE = 1e-2  # std: maxima further apart are two
LEAST_VARIANCE = 1e-12  # s >= 1e-6 std: half of the weights in one point have no maximum


@dataclass(frozen=True)
class StudentT:
    """mu, s, nu; equals scipy.stats.t."""

    name: str = "student_t"
    parameters: tuple[str, ...] = ("mu", "s", "nu")
    locations: tuple[str, ...] = ("mu",)
    shapes: tuple[str, ...] = ("nu",)
    symmetric: bool = True
    has_mean: bool = True  # but at nu = 1
    costly: bool = True
    typical: tuple[Params, ...] = (
        {"mu": 0.0, "s": 0.02, "nu": 5.0},
        {"mu": 1.0, "s": 0.3, "nu": 2.5},
    )

    def scipy_terms(self, p: Params) -> ScipyTerms:
        """The same law in scipy.stats."""
        arguments = {"df": p["nu"], "loc": p["mu"], "scale": p["s"]}
        return ((1.0, "t", arguments),)

    def fit(self, cells: Cells) -> Fitted:
        """Maximum of the profile likelihood over ln nu."""
        v = max((cells.iqr / 1.349) ** 2, LEAST_VARIANCE)
        best = _profiled(cells, cells.median, v)
        if cells.n <= FEW and cells.parts is None:
            mu, v = _likeliest_cauchy(cells, v)
            if abs(mu - best.mu) > CLOSE:
                other = _profiled(cells, mu, v)
                best = max(best, other, key=lambda end: end.value)
        at_bound = best.log_nu < LEAST + 1e-4 or best.log_nu > MOST - 1e-4
        at_bound = at_bound or best.v <= LEAST_VARIANCE
        nu = round(exp(best.log_nu), 12)  # 200 at the bound, not 199.99999999999991
        params = {"mu": best.mu, "s": best.v**0.5, "nu": nu}
        return Fitted(params, at_bound, best.converged)

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """-(nu + 1)/2 ln(1 + z^2/nu) plus the constant."""
        mu, s, nu = p["mu"], p["s"], p["nu"]
        z = (x - mu) / s
        tails = np.log1p(z * z / nu)
        log_density_at_mu = _log_constant(nu) - log(s)
        return log_density_at_mu - (nu + 1) / 2 * tails

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Regularised incomplete beta."""
        mu, s, nu = p["mu"], p["s"], p["nu"]
        z = (x - mu) / s
        return np.asarray(special.stdtr(nu, z))

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Its inverse."""
        mu, s, nu = p["mu"], p["s"], p["nu"]
        z = special.stdtrit(nu, q)
        return np.asarray(mu + s * z)


def _log_constant(nu: float) -> float:
    """ln of Gamma((nu + 1)/2) / (Gamma(nu/2) sqrt(nu pi))."""
    log_gammas = lgamma((nu + 1) / 2) - lgamma(nu / 2)
    return log_gammas - log(nu * pi) / 2


def _likelihood(cells: Cells, nu: float, mu: float, v: float) -> float:
    """Mean log-likelihood at variance parameter v = s^2."""
    r = cells.z - mu
    z2_per_nu = r * r / (nu * v)
    tails = float(cells.p @ np.log1p(z2_per_nu))
    return _log_constant(nu) - log(v) / 2 - (nu + 1) / 2 * tails


@dataclass(frozen=True)
class _End:
    """A maximum of the likelihood."""

    value: float
    log_nu: float
    mu: float
    v: float
    converged: bool


def _profiled(cells: Cells, mu: float, v: float) -> _End:
    """The maximum over ln nu, with mu and v from those of the nu before."""

    def cost(log_nu: float) -> float:
        nonlocal mu, v
        nu = exp(log_nu)
        mu, v, _ = _location_and_variance(cells, nu, mu, v, 1e-6, ROUNDS)
        return -_likelihood(cells, nu, mu, v)

    log_nu = minimum_between(cost, LEAST, MOST, cells.n)
    mu, v, converged = _location_and_variance(cells, exp(log_nu), mu, v, 1e-9, LAST_ROUNDS)
    return _End(_likelihood(cells, exp(log_nu), mu, v), log_nu, mu, v, converged)


def _likeliest_cauchy(cells: Cells, v: float) -> tuple[float, float]:
    """mu and v at the least nu, from starts at the weights: a maximum may be at each cluster."""
    nu = exp(LEAST)
    at = np.linspace(0, len(cells.z) - 1, STARTS).astype(np.intp)
    ends = []
    for start in cells.z[at]:
        mu, end_v, _ = _location_and_variance(cells, nu, float(start), v / 16, 1e-4, ROUNDS)
        ends.append((_likelihood(cells, nu, mu, end_v), mu, end_v))
    _, mu, v = max(ends)
    return mu, v


def _location_and_variance(
    cells: Cells, nu: float, mu: float, v: float, tolerance: float, rounds: int
) -> tuple[float, float, bool]:
    """PX-EM at fixed nu: weights w = 1/(nu v + r^2), mu their mean, v = sum w r^2 / sum w."""
    z, p = cells.z, cells.p
    settled = False
    for _ in range(rounds):
        r = z - mu
        r2 = r * r
        w = p / (r2 + nu * v)
        total = float(w.sum())
        shift = float(w.dot(r)) / total  # on short arrays twice as fast as `@`
        new_v = max(float(w.dot(r2)) / total - shift**2, LEAST_VARIANCE)
        settled = abs(shift) < tolerance * v**0.5 and abs(new_v - v) < tolerance * v
        mu, v = mu + shift, new_v
        if settled:
            break
    return mu, v, settled
