"""Samples with several maxima: no law is less likely than what other searches find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, special, stats

from weightscope.statistics.laws import LAWS, best_law
from weightscope.statistics.laws.fitting import Fit, fit_laws

G = np.random.default_rng(0)
SAMPLES = {
    "eight": G.normal(size=8),
    "forty": G.normal(size=40),
    "t with nu 0.5": G.standard_t(0.5, 200),
    "one far weight": np.append(G.normal(size=1999), 1e4),
    "log-normal": np.exp(G.normal(size=100)),
    "ties": np.round(G.normal(size=60), 1),
}
EACH = pytest.mark.parametrize("name", SAMPLES)


def _fit(counts_of, law: str, x: np.ndarray) -> tuple[Fit, float]:
    """The fit and its log-likelihood as a density."""
    counts = counts_of(x)
    half = 1e-9 * np.subtract(*np.quantile(x, [0.75, 0.25]))
    counts = replace(counts, low=counts.value - half, high=counts.value + half)
    fit = fit_laws(counts, [member for member in LAWS if member.name == law])[law]
    return fit, fit.loglik - len(x) * np.log(2 * half)


def _by_em(x: np.ndarray, w: float, v1: float, v2: float) -> float:
    """Log-likelihood of a mixture of two normals about one mean after EM."""
    mu, least = float(np.median(x)), 1e-6 * x.var()
    for _ in range(300):
        r = (x - mu) ** 2
        first = w / np.sqrt(v1) * np.exp(-r / (2 * v1))
        second = (1 - w) / np.sqrt(v2) * np.exp(-r / (2 * v2))
        total = first + second + 1e-300
        q1, q2 = first / total, second / total
        w = float(np.clip(q1.mean(), 1e-5, 1 - 1e-5))
        mu = float((x * (q1 / v1 + q2 / v2)).sum() / (q1 / v1 + q2 / v2).sum())
        v1 = max(float((q1 * r).sum() / max(q1.sum(), 1e-9)), least)
        v2 = max(float((q2 * r).sum() / max(q2.sum(), 1e-9)), least)
    density = w * stats.norm.pdf(x, mu, v1**0.5) + (1 - w) * stats.norm.pdf(x, mu, v2**0.5)
    return float(np.log(density + 1e-300).sum())


@EACH
def test_mixture_is_as_likely_as_em_finds(name, counts_of):
    """From two starts, one of them at the quartiles."""
    x = SAMPLES[name]
    robust = (np.subtract(*np.quantile(x, [0.75, 0.25])) / 1.349) ** 2
    peer = max(_by_em(x, 0.9, robust, x.var()), _by_em(x, 0.5, x.var() / 4, 2 * x.var()))
    fit, loglik = _fit(counts_of, "normal_mixture", x)
    assert fit.converged
    assert loglik > peer - 1e-6 * abs(peer)


def test_one_far_weight_is_the_wide_part(counts_of):
    """1,999 weights of sigma 1 and one at 10,000 have sigma1 1, not 5."""
    fit, _ = _fit(counts_of, "normal_mixture", SAMPLES["one far weight"])
    assert fit.params["sigma1"] == pytest.approx(1, abs=0.05)
    assert fit.params["mu"] == pytest.approx(0, abs=0.1)


@EACH
def test_t_is_as_likely_as_restarts_find(name, counts_of):
    """Nelder-Mead from several weights, inside the bounds of nu and s."""
    x = SAMPLES[name]
    least = np.log(1e-6 * x.std())

    def cost(at: np.ndarray) -> float:
        mu, log_s, log_nu = at
        if not (0 <= log_nu <= np.log(200) and log_s >= least):
            return np.inf
        nu = np.exp(log_nu)
        tails = np.log1p(((x - mu) / np.exp(log_s)) ** 2 / nu)
        constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - log_nu / 2
        return -float((constant - log_s - (nu + 1) / 2 * tails).sum())

    starts = [(mu, -1.0, 0.5) for mu in np.quantile(x, [0.3, 0.5])]
    ends = [
        optimize.minimize(cost, s, method="Nelder-Mead", options={"maxiter": 250}) for s in starts
    ]
    mu, log_s, log_nu = min(ends, key=lambda end: end.fun).x
    peer = float(stats.t.logpdf(x, np.exp(log_nu), mu, np.exp(log_s)).sum())
    fit, loglik = _fit(counts_of, "student_t", x)
    assert fit.converged
    assert loglik > peer - 1e-6 * abs(peer)


@EACH
def test_gennorm_is_as_likely_as_any_weight_and_beta(name, counts_of):
    """All pairs of a beta and of a weight (at most 100) as its centre."""
    x = SAMPLES[name]
    law = next(member for member in LAWS if member.name == "gennorm")
    centres = np.sort(x)[:: max(len(x) // 100, 1)]
    peer = -np.inf
    for beta in np.geomspace(0.1, 8, 15):
        moments = (np.abs(x - centres[:, None]) ** beta).mean(1)
        best = int(moments.argmin())
        alpha = (beta * moments[best]) ** (1 / beta)
        p = {"mu": centres[best], "alpha": alpha, "beta": beta}
        peer = max(peer, float(law.logpdf(x, p).sum()))
    _, loglik = _fit(counts_of, "gennorm", x)
    assert loglik > peer - 1e-6 * abs(peer)


def test_gennorm_finds_the_likelier_of_two_close_cusps(counts_of):
    """One far weight among 2,000: no weight as the centre at the fitted beta is likelier."""
    g = np.random.default_rng(2001)
    g.standard_t(0.5, 2000)  # draws of the other samples come first
    g.normal(size=4000)
    x = np.append(g.normal(size=1999), 1e4)
    fit, _ = _fit(counts_of, "gennorm", x)
    beta = fit.params["beta"]
    fitted = (np.abs(x - fit.params["mu"]) ** beta).mean()
    near = np.sort(x)[900:1100]
    peer = (np.abs(x - near[:, None]) ** beta).mean(1).min()
    assert fitted < peer * (1 + 1e-6)


def test_a_search_that_ended_early_has_a_note():
    """Named by its law."""
    early = Fit("student_t", {}, 0.0, 9, lambda: None, converged=False)
    note = best_law.not_converged([early])
    assert (note.code, note.text) == ("not-converged", "not converged: student_t")
    assert best_law.not_converged([]) is None


def test_nu_at_its_lower_bound_has_a_note(counts_of):
    """A t with nu 0.5 has nu 1; one with nu 5 has no note."""
    tails = fit_laws(counts_of(SAMPLES["t with nu 0.5"]))["student_t"]
    thin = fit_laws(counts_of(G.standard_t(5, 500)))["student_t"]
    assert best_law.nu_at_bound(tails).code == "nu-at-bound"
    assert best_law.nu_at_bound(thin) is None
