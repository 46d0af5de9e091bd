"""Eight laws by BFGS and Nelder and Mead on the likelihood of the cells, and the best of them.

The likelihood of a cell is the probability between its edges; of float32 and float64, whose cells
are narrow, the density at the value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import inf, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from ..case import Array, Case, NotCompared
from ..cells import cells
from .definition import Definition, Value
from .laws import normal_of

MARGIN = 0.001  # bits per weight
CUSP = 0.05  # std: densities may have a corner as near to the mean
NARROW = 0.005  # std: the probability of a narrower cell is its density times its width
FINE = ("F32", "F64")
NU, BETA = (1.0, 200.0), (0.1, 8.0)
SHARPEST = 0.5  # beta of wide cells
FITTED = ("F32", "BF16", "F8_E4M3")  # half of the types: each tensor costs 0.3 s
FEWEST_FOR_UNIFORM = 1000


@dataclass(frozen=True, eq=False)
class _Data:
    """Cells in units of the std about the mean, with the shares of the weights."""

    low: Array
    high: Array
    value: Array
    share: Array
    n: int
    fine: bool

    def mean_log(self, law: _Law) -> float:
        """Mean log-likelihood of a weight; of fine cells without the width."""
        if self.fine:
            return float(self.share @ law.logpdf(self.value))
        narrow, edges, at_low, at_high = self._cells
        total = float(self.share[narrow] @ (law.logpdf(self.value[narrow]) + self._log_widths))
        # probability beyond each edge, on its side of the centre
        beyond = law.cdf(law.centre - np.abs(edges - law.centre))
        right = edges > law.centre
        mass = np.abs(beyond[at_high] - beyond[at_low])
        around = ~right[at_low] & right[at_high]
        mass = np.where(around, 1 - beyond[at_low] - beyond[at_high], mass)
        return total + float(self.share[~narrow] @ np.log(np.maximum(mass, 1e-300)))

    @cached_property
    def _cells(self) -> tuple[NDArray[np.bool_], Array, NDArray[np.intp], NDArray[np.intp]]:
        """Which cells are narrow; the edges of the others, and their places among these."""
        narrow = (self.high - self.low < NARROW) & (np.abs(self.value) > CUSP)
        low, high = self.low[~narrow], self.high[~narrow]
        edges, at = np.unique(np.concatenate([low, high]), return_inverse=True)
        return narrow, edges, at[: len(low)], at[len(low) :]

    @cached_property
    def _log_widths(self) -> Array:
        narrow = self._cells[0]
        return np.asarray(np.log(self.high[narrow] - self.low[narrow]))


@dataclass(frozen=True, eq=False)
class _Law:
    """A law with its parameters."""

    centre: float
    logpdf: Callable[[Array], Array]
    cdf: Callable[[Array], Array]


@dataclass(frozen=True)
class _Fit:
    """A fitted law: its parameters, number of parameters, and mean log-likelihood."""

    law: _Law
    parameters: tuple[float, ...]
    count: int
    mean_log: float

    def bic(self, n: int) -> float:
        """In nats of the whole tensor."""
        return self.count * log(n) - 2 * n * self.mean_log


def _normal(mu: float, sigma: float) -> _Law:
    constant = log(sigma) + log(2 * pi) / 2
    return _Law(
        mu,
        lambda x: -(((x - mu) / sigma) ** 2) / 2 - constant,
        lambda x: special.ndtr((x - mu) / sigma),
    )


def _laplace(mu: float, b: float) -> _Law:
    return _generalised(mu, b, 1.0)


def _generalised(mu: float, scale: float, beta: float) -> _Law:
    constant = log(beta) - log(2 * scale) - float(special.gammaln(1 / beta))

    def cdf(x: Array) -> Array:
        z = (x - mu) / scale
        half = special.gammaincc(1 / beta, np.abs(z) ** beta) / 2
        return np.where(z < 0, half, 1 - half)

    return _Law(mu, lambda x: constant - (np.abs(x - mu) / scale) ** beta, cdf)


def _logistic(mu: float, s: float) -> _Law:
    def logpdf(x: Array) -> Array:
        z = np.abs(x - mu) / s
        return -z - 2 * np.log1p(np.exp(-z)) - log(s)

    return _Law(mu, logpdf, lambda x: special.expit((x - mu) / s))


def _student(mu: float, s: float, nu: float) -> _Law:
    constant = float(special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2))
    constant -= log(nu * pi) / 2 + log(s)

    def logpdf(x: Array) -> Array:
        return constant - (nu + 1) / 2 * np.log1p(((x - mu) / s) ** 2 / nu)

    return _Law(mu, logpdf, lambda x: special.stdtr(nu, (x - mu) / s))


def _truncated(mu: float, sigma: float, cut: float) -> _Law:
    mass = float(special.erf(cut / sigma / sqrt(2)))
    constant = log(sigma) + log(2 * pi) / 2 + log(mass)
    lowest = float(special.ndtr(-cut / sigma))

    def cdf(x: Array) -> Array:
        inside = special.ndtr(np.clip((x - mu) / sigma, -cut / sigma, cut / sigma))
        return np.clip((inside - lowest) / mass, 0, 1)

    return _Law(mu, lambda x: -(((x - mu) / sigma) ** 2) / 2 - constant, cdf)


def _mixture(mu: float, w: float, narrow: float, wide: float) -> _Law:
    one, two = _normal(mu, narrow), _normal(mu, wide)

    def logpdf(x: Array) -> Array:
        return np.logaddexp(log(w) + one.logpdf(x), log(1 - w) + two.logpdf(x))

    return _Law(mu, logpdf, lambda x: w * one.cdf(x) + (1 - w) * two.cdf(x))


def _data(case: Case) -> _Data | None:
    """None where there are fewer than three values; not for bins, lattices and excess zeros."""
    x = case.finite
    distinct = len(np.unique(x))
    if distinct < 3:
        return None
    fine = case.dtype in FINE
    zeros = (x == 0).mean() if fine else 0.0
    if case.dtype not in FITTED:
        raise NotCompared
    if case.is_wide or zeros > 0.005 or (fine and distinct < 0.9 * x.size) or x.size < 100:
        raise NotCompared
    if not fine and (distinct < 60 or (x == 0).mean() > 0.03):
        raise NotCompared
    low, high, counts = cells(case)
    value = (np.unique(x + 0.0) - x.mean()) / x.std()
    low, high = (low - x.mean()) / x.std(), (high - x.mean()) / x.std()
    return _Data(low, high, value, counts / x.size, x.size, fine)


def _likeliest(
    data: _Data, make: Callable[[Array], _Law | None], starts: tuple[tuple[float, ...], ...]
) -> Array:
    """The likeliest parameters by BFGS from several starts, then by Nelder and Mead.

    The simplex passes the corners of a likelihood, where a location meets a weight.
    """

    def cost(parameters: Array) -> float:
        law = make(parameters)
        return inf if law is None else -data.mean_log(law)

    found = [optimize.minimize(cost, start, method="BFGS").x for start in starts]
    best = min(found, key=cost)
    simplex = best + np.vstack([np.zeros(len(best)), 0.01 * np.eye(len(best))])
    options = {"xatol": 1e-7, "fatol": 1e-11, "maxiter": 1500, "initial_simplex": simplex}
    return optimize.minimize(cost, best, method="Nelder-Mead", options=options).x


def _bounded(value: float, bounds: tuple[float, float]) -> float:
    """A value from its logarithm, inside the bounds."""
    return float(np.clip(np.exp(np.clip(value, -50, 50)), *bounds))


def _median(data: _Data) -> float:
    upto = np.cumsum(data.share)
    low = data.value[np.searchsorted(upto, 0.5 - 1e-12)]
    high = data.value[np.searchsorted(upto, 0.5 + 1e-12)]
    return float(low + high) / 2


@lru_cache(maxsize=512)
def _fits(case: Case) -> dict[str, _Fit] | None:
    data = _data(case)
    if data is None:
        return None
    median = _median(data)
    spread = float(data.share @ np.abs(data.value - median))

    def fit(law: _Law, count: int, *parameters: float) -> _Fit:
        return _Fit(law, parameters, count, data.mean_log(law))

    mu, sigma = normal_of(case)
    mean, std = float(case.finite.mean()), float(case.finite.std())
    fits = {
        "normal": fit(_normal((mu - mean) / std, sigma / std), 2),
        "laplace": fit(_laplace(median, spread), 2),
    }
    p = _likeliest(data, lambda p: _logistic(p[0], np.exp(p[1])), ((median, -0.6),))
    fits["logistic"] = fit(_logistic(p[0], np.exp(p[1])), 2)

    def student(p: Array) -> _Law:
        return _student(p[0], np.exp(p[1]), _bounded(p[2], NU))

    p = _likeliest(data, student, ((median, -0.3, 1.5), (0, 0, 4), (median, -2, 0.1)))
    fits["student_t"] = fit(student(p), 3, _bounded(p[2], NU))

    def generalised(p: Array) -> _Law:
        return _generalised(p[0], np.exp(p[1]), _bounded(p[2], BETA))

    starts = (
        (median, 0.2, 0.7),
        (median, -0.5, 0),
        (0, 0.5, 1.5),
        (median, -5, -1),
        (median, -8, -0.85),
    )
    p = _likeliest(data, generalised, starts)
    fits["gennorm"] = fit(generalised(p), 3, _bounded(p[2], BETA), float(np.exp(p[1])))

    def mixture(p: Array) -> _Law:
        w = float(special.expit(p[1]))
        return _mixture(p[0], np.clip(w, 1e-12, 1 - 1e-12), np.exp(p[2]), np.exp(p[3]))

    starts = ((0, 2, -0.2, 0.7), (0, 0, -0.7, 0.4), (0, 4.5, -0.1, 3), (0, 0, -0.1, 0.1))
    p = _likeliest(data, mixture, starts)
    law = mixture(p)
    sigmas, share = sorted(np.exp(p[2:])), float(special.expit(p[1]))
    share = share if p[2] < p[3] else 1 - share  # of the narrower one
    fits["normal_mixture"] = fit(law, 4, share, float(sigmas[1] / sigmas[0]))

    cut = float(np.abs(data.value).max())
    p = _likeliest(data, lambda p: _truncated(0, np.exp(min(p[0], 3)) * cut, cut), ((-1,), (0.5,)))
    fits["truncnorm"] = fit(_truncated(0, np.exp(min(p[0], 3)) * cut, cut), 3)
    if data.n >= FEWEST_FOR_UNIFORM and data.fine:
        fits["uniform"] = fit(_uniform(data), 2)
    return fits


def _uniform(data: _Data) -> _Law:
    lo, hi = float(data.value[0]), float(data.value[-1])
    height = -log(hi - lo)
    return _Law(
        (lo + hi) / 2,
        lambda x: np.full(len(x), height),
        lambda x: np.clip((x - lo) / (hi - lo), 0, 1),
    )


def _best_name(case: Case) -> str | None:
    fits = _fits(case)
    if fits is None:
        return None
    n = case.finite.size
    least = min(fit.bic(n) for fit in fits.values())
    near = {name: fit for name, fit in fits.items() if fit.bic(n) - least < MARGIN * 2 * n * log(2)}
    fewest = min(fit.count for fit in near.values())
    simple = {name: fit.mean_log for name, fit in near.items() if fit.count == fewest}
    name = max(simple, key=lambda law: simple[law])
    if name == "truncnorm" and case.dtype not in FINE:
        raise NotCompared  # the ends of a uniform law lie inside the outermost cells
    return name


def _ks_best(case: Case) -> float | None:
    fits, data, name = _fits(case), _data(case), _best_name(case)
    if fits is None or data is None or name is None:
        return None
    law = fits[name].law
    upto = np.cumsum(data.share)
    before = upto - data.share
    at_low, at_high = law.cdf(data.low), law.cdf(data.high)
    return float(max(np.abs(before - at_low).max(), np.abs(upto - at_high).max()))


def _parameter(law: str, index: int) -> Callable[[Case], Value]:
    def of(case: Case) -> Value:
        fits = _fits(case)
        if fits is None:
            return None
        value = fits[law].parameters[index]
        if law == "gennorm" and value < SHARPEST and case.dtype not in FINE:
            raise NotCompared  # the simplex stops at the corners between the cells
        return value

    return of


FITS = (
    Definition("best", _best_name, slow=True),
    Definition("beta", _parameter("gennorm", 0), 5e-3, slow=True),
    Definition("nu", _parameter("student_t", 0), 5e-3, slow=True),
    Definition("ks_best", _ks_best, 2e-2, slow=True),
)
