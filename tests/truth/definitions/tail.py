"""The power-law tail by a loop over the definition, and other laws by Nelder and Mead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import inf, log, log10, pi, sqrt

import numpy as np
from scipy import optimize, special, stats

from ..case import Array, Case, NotCompared
from .definition import Definition, Value
from .singular import floor, uncertain

NAMES = ("lognormal", "exponential", "truncated")
CUT = 1e-12
CLOSE = 1e-7  # of D: starts as near as that may swap by rounding
NODES, WEIGHTS = np.polynomial.legendre.leggauss(96)  # the integrals to 13 digits
NODES, WEIGHTS = (NODES + 1) / 2, WEIGHTS / 2  # over [0, 1]


@dataclass(frozen=True)
class _Fit:
    """The start of least D."""

    alpha: float
    ks: float
    tail: Array  # ascending, from xmin on

    @property
    def count(self) -> int:
        return len(self.tail)


@lru_cache(maxsize=512)
def _fit(case: Case) -> _Fit | None:
    if case.sigma is None:
        return None
    limit = uncertain(case)
    if np.abs(case.sigma / limit - 1).min() < 1e-6:
        raise NotCompared
    x = np.sort(case.sigma[case.sigma > limit] ** 2)
    x = x[x > CUT * x.max(initial=0.0)]
    even = max(1e-5, 2 * limit / float(case.sigma[0]))
    if len(x) < 2 or x[-1] <= x[0] * (1 + even):
        return None
    fits = sorted((_start(x, i) for i in range(len(x) - 1)), key=lambda fit: fit.ks)
    if len(fits) > 1 and fits[1].ks - fits[0].ks < CLOSE:
        raise NotCompared  # two starts
    return fits[0]


def _start(x: Array, i: int) -> _Fit:
    tail = x[i:]
    c = len(tail)
    spread = float(np.log(tail / tail[0]).sum())
    if spread < 1e-12:
        return _Fit(inf, 1.0, tail)
    alpha = 1 + c / spread
    law = 1 - (tail / tail[0]) ** (1 - alpha)
    return _Fit(alpha, float(np.abs(law - np.arange(c) / c).max()), tail)


def _of_fit(value: Callable[[_Fit], Value], least: int = 2) -> Callable[[Case], Value]:
    """Null without a fit, and of tails of fewer than `least` values."""

    def of(case: Case) -> Value:
        fit = _fit(case)
        if fit is None or fit.count < least:
            return None
        return value(fit)

    return of


def _weighted(case: Case) -> float | None:
    alpha = _of_fit(lambda fit: fit.alpha, 10)(case)
    if alpha is None or case.sigma is None:
        return None
    return float(alpha) * 2 * log10(case.sigma[0])


def _norm(case: Case) -> float | None:
    alpha = _of_fit(lambda fit: fit.alpha, 10)(case)
    if alpha is None or case.sigma is None:
        return None
    values = case.sigma[case.sigma > floor(case)]
    return float(special.logsumexp(2 * float(alpha) * np.log(values)) / log(10))


@dataclass(frozen=True)
class _Ratio:
    """The log-likelihood ratio R of the power law to another, and R/(sqrt(n) sd)."""

    total: float
    normalised: float


@lru_cache(maxsize=512)
def _ratio_to(name: str, case: Case) -> _Ratio | None:
    fit = _fit(case)
    if fit is None or fit.count < 10:
        return None
    z = fit.tail / fit.tail[0]
    law = np.log(fit.alpha - 1) - fit.alpha * np.log(z)
    if name == "exponential":
        return _of_differences(law - _exponential(z))
    if name == "lognormal":
        return _to_log_normal(law, z)
    return _to_truncated(law, z, fit.alpha)


def _of_differences(differences: Array) -> _Ratio:
    total = float(differences.sum())
    return _Ratio(total, total / (sqrt(len(differences)) * float(differences.std())))


def _exponential(z: Array) -> Array:
    return stats.expon.logpdf(z - 1, scale=z.mean() - 1)


def _to_log_normal(law: Array, z: Array) -> _Ratio:
    """The moments of a Gaussian above its cut-off at h std, by Brent's method in h.

    Where mean(y^2) >= 2 mean(y)^2 the power law is the limit: the ratio of its score.
    """
    y = np.log(z)
    ratio = float((y**2).mean() / y.mean() ** 2)
    if ratio >= 2:
        m = y.mean()
        limit = _of_differences(y**2 - 4 * m * y + 2 * m**2)
        return _Ratio(0.0, limit.normalised)

    def excess(h: float) -> float:
        return float(np.exp(-(h**2) / 2 - special.log_ndtr(-h)) / sqrt(2 * pi)) - h

    def off(h: float) -> float:
        return (1 - h * excess(h)) / excess(h) ** 2 - ratio

    if off(36.0) < 0:
        raise NotCompared  # within 0.2% of the limit
    h = optimize.brentq(off, -1e4, 36.0, xtol=1e-13)
    sigma = float(y.mean()) / excess(h)
    tail = stats.norm.logpdf(y / sigma + h) - special.log_ndtr(-h) - log(sigma)
    return _of_differences(law - (tail - y))


def _to_truncated(law: Array, z: Array, alpha: float) -> _Ratio:
    """Nelder and Mead in ln a and ln L, or an end: a = 0 the exponential, L = 0 the power law."""
    y = np.log(z)
    sum_y, sum_z = float(y.sum()), float((z - 1).sum())

    def log_integral(a: float, rate: float) -> float:
        end = min(60 / (a + rate), np.log1p(60 / rate)) if a > 1 else np.log1p(90 / rate)
        u = NODES * end
        heights = np.exp((1 - a) * u - rate * np.expm1(u))
        return float(np.log(end * (WEIGHTS @ heights)))

    def cost(parameters: Array) -> float:
        a, rate = np.exp(np.clip(parameters, -40, 40))
        return float(a * sum_y + rate * sum_z + len(z) * log_integral(a, rate))

    def densities(parameters: Array) -> Array:
        a, rate = np.exp(np.clip(parameters, -40, 40))
        return -a * y - rate * (z - 1) - log_integral(a, rate)

    starts = ((alpha / 2, 0.3), (0.98 * alpha, 1e-3))
    found = []
    for a, rate in starts:
        start = np.array([log(a), log(rate / (z.mean() - 1))])
        found.append(densities(_optimum(cost, start)))
    best = max(found, key=lambda logs: float(logs.sum()))
    without = _exponential(z)
    inside, power, exponential = float(best.sum()), float(law.sum()), float(without.sum())
    if power >= max(inside, exponential) - 1e-9:  # rounding: inside may come as near as it likes
        return _Ratio(0.0, 0.0)
    if exponential >= inside - 1e-7:
        return _of_differences(law - without)
    if inside - power < 1e-4:
        raise NotCompared  # the last digits of both likelihoods
    return _of_differences(law - best)


def _optimum(cost: Callable[[Array], float], start: Array) -> Array:
    """Nelder and Mead, twice: a second simplex leaves a false rest of the first."""
    options = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 3000}
    for _ in range(2):
        start = optimize.minimize(cost, start, method="Nelder-Mead", options=options).x
    return start


def _ratio(name: str) -> Callable[[Case], Value]:
    def of(case: Case) -> Value:
        ratio = _ratio_to(name, case)
        return None if ratio is None else ratio.normalised

    return of


def _p_value(name: str) -> Callable[[Case], Value]:
    def of(case: Case) -> Value:
        ratio = _ratio_to(name, case)
        if ratio is None:
            return None
        if name == "truncated":
            return float(stats.chi2.sf(2 * abs(ratio.total), 1))
        return float(2 * stats.norm.sf(abs(ratio.normalised)))

    return of


def _law(case: Case) -> str | None:
    fit = _fit(case)
    ratios = {name: _ratio_to(name, case) for name in NAMES}
    log_normal, exponential = ratios["lognormal"], ratios["exponential"]
    if fit is None or log_normal is None or exponential is None:
        return None
    least = min(log_normal.normalised, exponential.normalised)
    if min(abs(least), abs(least + 0.9)) < 1e-6:
        raise NotCompared
    if least < -0.9:
        parameters = {"exponential": 1, "lognormal": 2, "truncated": 2}
        criteria = {name: 2 * parameters[name] + 2 * ratios[name].total for name in NAMES}
        return min(criteria, key=lambda name: criteria[name])
    if least >= 0 and fit.count >= 20 and fit.ks <= 0.8 / sqrt(fit.count):
        return "power_law"
    return "undecided"


def _one(case: Case) -> float:
    return 1.0


TAIL = (
    Definition("alpha", _of_fit(lambda fit: fit.alpha, 10), 1e-6),
    Definition("alpha_ks", _of_fit(lambda fit: fit.ks), 1e-6),
    Definition("alpha_xmin", _of_fit(lambda fit: float(fit.tail[0])), 1e-6),
    Definition("alpha_tail", _of_fit(lambda fit: fit.count)),
    Definition("alpha_sigma", _of_fit(lambda f: (f.alpha - 1) / sqrt(f.count), 10), 1e-6),
    Definition("alpha_weighted", _weighted, 1e-6),
    Definition("log_alpha_norm", _norm, 1e-6),
    Definition("alpha_law", _law),
    *(Definition(f"alpha_lr_{name}", _ratio(name), 2e-4, unit=_one) for name in NAMES),
    *(Definition(f"alpha_lr_p_{name}", _p_value(name), 2e-4, unit=_one) for name in NAMES),
)
