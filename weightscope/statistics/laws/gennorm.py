"""Generalised normal: f = beta/(2 alpha Gamma(1/beta)) exp(-(|x - mu|/alpha)^beta), beta in 0.1..8.

alpha is closed form given mu and beta. Newton's ascent where beta is 1.25 and more. Else bounded
Brent in ln beta, mu at first a reweighted mean from beta = 1.05 on and the median below; then the
joint maximum, mu and ln beta in turn: from beta = 1 the likelihood is concave in mu, below it has a
cusp at every point, and the likeliest of these is searched. The error of ln beta is the profile's
curvature.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import optimize, special
from .gennorm_ascent import FLOOR, SMOOTH, ascend, ascend_beta, powers, start
from .gennorm_cusp import (
    coarsely_likeliest,
    cusp,
    likeliest_cusp,
    likelihood,
    likelihood_at,
    moment,
)
from .law import Fitted, Params, ScipyTerms
from .profile import FEW as FEW_WEIGHTS
from .profile import TOLERANCE, minimum_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

    Found = tuple[float, float, bool]  # ln beta, mu, and whether mu settled

LEAST, MOST = log(0.1), log(8.0)
WEIGHTED = 1.05  # beta from which the likelihood is smooth enough in mu for a reweighted mean
FAST = 1.5  # beta from which reweighted means converge
FEW = 128  # points: of so few each is tried as mu at every beta
COARSE = 0.2  # of ln beta: near enough for an ascent
COARSELY = 1e-3  # std, of mu there
TURNS = 8  # of mu and ln beta
CLOSE = 1e-7  # a smaller change of mu is none: std, or ranges of the quartiles
REACH = 0.2  # of ln beta, around the best one before mu moved
SAME = 0.04  # of ln beta: no other cusp is the likeliest
WORTH = 0.1  # nats per weight that a coarse search may be short of its maximum
BRACKET = 0.05  # std, around the reweighted mean


@dataclass(frozen=True)
class Gennorm:
    """mu, alpha, beta; equals scipy.stats.gennorm. beta = 2 is normal, 1 Laplace."""

    name: str = "gennorm"
    parameters: tuple[str, ...] = ("mu", "alpha", "beta")
    locations: tuple[str, ...] = ("mu",)
    shapes: tuple[str, ...] = ("beta",)
    symmetric: bool = True
    has_mean: bool = True
    costly: bool = True
    typical: tuple[Params, ...] = (
        {"mu": 0.0, "alpha": 0.02, "beta": 1.4},
        {"mu": 0.0, "alpha": 0.02, "beta": 0.7},
        {"mu": 1.0, "alpha": 0.3, "beta": 3.0},
    )

    def scipy_terms(self, p: Params) -> ScipyTerms:
        """The same law in scipy.stats."""
        arguments = {"beta": p["beta"], "loc": p["mu"], "scale": p["alpha"]}
        return ((1.0, "gennorm", arguments),)

    def fit(self, cells: Cells) -> Fitted:
        """Newton's ascent, of few weights from a coarse search; bounded searches where it fails."""
        found = _ascended(cells)
        if found is None:
            found = _searched(cells)
        if cells.parts is None:
            found = _or_at_a_cusp(cells, found)
        log_beta, mu, converged = found
        beta = round(exp(log_beta), 12)  # 8 at the bound, not 7.999999999999998
        alpha = (beta * moment(cells, beta, mu)) ** (1 / beta)
        params = {"mu": mu, "alpha": alpha, "beta": beta}
        if log_beta < LEAST + 1e-4 or log_beta > MOST - 1e-4:
            return Fitted(params, at_bound=True, converged=converged)
        return Fitted(params, converged=converged, errors=self.errors(cells, params))

    def errors(self, cells: Cells, p: Params) -> dict[str, float]:
        """Standard error of beta for one weight, from the curvature in ln beta."""
        at = powers(cells, p["beta"], p["mu"])
        return {"beta": p["beta"] * _error(at.curvature)}

    def within(self, p: Params) -> bool:
        """Whether beta is between its bounds."""
        return LEAST <= log(p["beta"]) <= MOST

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """-(|x - mu|/alpha)^beta + ln(beta/(2 alpha)) - ln Gamma(1/beta)."""
        mu, alpha, beta = p["mu"], p["alpha"], p["beta"]
        z = np.abs(x - mu) / alpha
        log_peak = log(beta / (2 * alpha)) - lgamma(1 / beta)
        return log_peak - z**beta

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Regularised incomplete gamma of |z|^beta, half on each side."""
        mu, alpha, beta = p["mu"], p["alpha"], p["beta"]
        z = (x - mu) / alpha
        power = np.abs(z) ** beta
        tail = 0.5 * special.gammaincc(1 / beta, power)
        return np.asarray(np.where(z > 0, 1 - tail, tail))

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Its inverse."""
        mu, alpha, beta = p["mu"], p["alpha"], p["beta"]
        tail = np.minimum(q, 1 - q)
        z = special.gammainccinv(1 / beta, 2 * tail) ** (1 / beta)
        side = np.sign(q - 0.5)
        return np.asarray(mu + alpha * side * z)


def _ascended(cells: Cells) -> Found | None:
    """The joint maximum by Newton's ascent; None where it does not end at one."""
    if cells.n > FEW_WEIGHTS:
        log_beta, mu = start(cells), cells.median
    else:
        log_beta, mu = _profiled(cells, COARSE, COARSELY)
    ascended = ascend(cells, log_beta, mu)
    if ascended is not None:
        return *ascended, True
    if cells.n <= FEW_WEIGHTS:
        return None
    lone = ascend_beta(cells, log_beta, cells.median)
    if lone is None or exp(lone) >= SMOOTH:
        return None
    return _joint(cells, lone, cells.median)


def _searched(cells: Cells) -> Found:
    """ln beta and mu of the joint maximum by bounded searches, and if mu settled."""
    return _joint(cells, *_profiled(cells, TOLERANCE, CLOSE))


def _or_at_a_cusp(cells: Cells, found: Found) -> Found:
    """`found`, or the maximum at a cusp far from it where that is likelier.

    Of skewed data and of a spike beside a broad base the median is no start.
    """
    log_beta, mu = coarsely_likeliest(cells)
    least = likelihood_at(cells, *found[:2]) - WORTH
    if likelihood_at(cells, log_beta, mu) < least:
        return found
    log_beta = _beta_at(cells, log_beta, mu)
    if exp(log_beta) >= SMOOTH or _leads_to(found, log_beta):
        return found
    other = _joint(cells, log_beta, mu)
    return max(found, other, key=lambda place: likelihood_at(cells, *place[:2]))


def _leads_to(found: Found, log_beta: float) -> bool:
    """Whether a search at this beta would be the one that ended at `found`.

    All cusps are searched below beta = 1, and beyond the likelihood has one maximum in mu.
    """
    of_cusps = found[0] < 0
    return abs(log_beta - found[0]) < SAME and (of_cusps or log_beta >= 0)


def _profiled(cells: Cells, tolerance: float, close: float) -> tuple[float, float]:
    """ln beta of the largest profile likelihood to a tolerance, and mu there."""
    mu = cells.median

    def cost(log_beta: float) -> float:
        nonlocal mu
        beta = exp(log_beta)
        mu, moment = _location_and_moment(cells, beta, mu, close)
        return -likelihood(beta, log(moment))

    return minimum_between(cost, LEAST, MOST, cells.n, tolerance), mu


def _location_and_moment(cells: Cells, beta: float, mu: float, close: float) -> tuple[float, float]:
    """mu and mean |x - mu|^beta at fixed beta, mu by reweighted means.

    From beta = 1.5 on the step is Newton's, that divided by beta - 1.
    """
    z, p = cells.z, cells.p
    if beta < WEIGHTED:
        centre = cells.median
        if len(z) <= FEW:
            centre = cusp(cells, beta)
        return centre, moment(cells, beta, centre)
    divisor = 1.0
    if beta >= FAST:
        divisor = beta - 1
    for _ in range(100):
        r = z - mu
        w = p * np.exp((beta - 2) * np.log(np.maximum(np.abs(r), 1e-4)))
        wr = w * r
        step = float(wr.sum()) / (float(w.sum()) * divisor)
        if abs(step) < close:
            break
        mu += step
    return mu, float(wr @ r)


def _joint(cells: Cells, log_beta: float, mu: float) -> Found:
    """ln beta and mu of the joint maximum, each in turn from the other's best, and if mu settled.

    From beta = 1.5 on the reweighted mean is that of the joint maximum.
    """
    if exp(log_beta) >= FAST:
        return log_beta, mu, True
    for _ in range(TURNS):
        before = mu
        log_beta, mu = _location(cells, log_beta, mu)
        if abs(mu - before) <= CLOSE * cells.iqr:
            return log_beta, mu, True

        log_beta = _beta_at(cells, log_beta, mu)
    return log_beta, mu, False


def _beta_at(cells: Cells, log_beta: float, mu: float) -> float:
    """ln beta of the maximum at this mu."""
    ascended = ascend_beta(cells, log_beta, mu)
    if ascended is not None:
        return ascended

    def cost(log_beta: float) -> float:
        return -likelihood_at(cells, log_beta, mu)

    low, high = max(LEAST, log_beta - REACH), min(MOST, log_beta + REACH)
    return min((log_beta, minimum_between(cost, low, high)), key=cost)


def _location(cells: Cells, log_beta: float, mu: float) -> tuple[float, float]:
    """A likelier mu and its ln beta: a root of the slope from beta = 1 on, below the best cusp."""
    beta = exp(log_beta)
    if beta < 1:
        found = likeliest_cusp(cells, beta)
    else:
        found = log_beta, _root(cells, beta, mu)
    return max((log_beta, mu), found, key=lambda place: likelihood_at(cells, *place))


def _root(cells: Cells, beta: float, mu: float) -> float:
    """Where the weighted mean of sign(r) |r|^(beta - 1) changes its sign."""
    z, p = cells.z, cells.p

    def slope(centre: float) -> float:
        r = z - centre
        size = np.maximum(np.abs(r), FLOOR)
        return float(p @ np.copysign(size ** (beta - 1), r))

    low, high = mu - BRACKET, mu + BRACKET
    if not slope(low) > 0 > slope(high):
        low, high = float(z.min()), float(z.max())
    return float(optimize.brentq(slope, low, high, xtol=1e-9))


def _error(curvature: float) -> float:
    """Standard error of ln beta for one weight."""
    if curvature >= 0:
        return float("nan")
    return float((-curvature) ** -0.5)
