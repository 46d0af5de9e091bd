"""The best law, information criteria, agreement with scipy's fits, and reasons for no fit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from math import log

import numpy as np
import pytest
from scipy import stats

from weightscope.statistics.laws import LAWS
from weightscope.statistics.laws.fitting import Fit, Fits, fit_laws
from weightscope.statistics.laws.goodness import Goodness

N = 65_536


def _mixture(n, g):
    return np.where(g.random(n) < 0.8, 1, 3) * g.normal(size=n)


SAMPLES = {
    "normal": lambda n, g: g.normal(size=n),
    "laplace": lambda n, g: g.laplace(size=n),
    "logistic": lambda n, g: g.logistic(size=n),
    "student_t": lambda n, g: g.standard_t(4, n),
    "gennorm": lambda n, g: stats.gennorm.rvs(1.5, size=n, random_state=g),
    "truncnorm": lambda n, g: stats.truncnorm.rvs(-2, 2, size=n, random_state=g),
    "uniform": lambda n, g: g.uniform(-1, 1, n),
    "normal_mixture": _mixture,
}


@cache
def _sample(name, seed):
    return SAMPLES[name](N, np.random.default_rng(seed))


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3"])
@pytest.mark.parametrize("name", SAMPLES)
def test_best_is_the_law_of_the_sample(name, dtype, stored_as):
    """Every law is recognised in two samples, in bf16 and on a coarse lattice."""
    for seed in (0, 1):
        assert fit_laws(stored_as(_sample(name, seed), dtype)).best.law == name


def test_criteria_follow_from_the_likelihood(counts_of):
    """aic = 2k - 2 ln L, bic = k ln n - 2 ln L, k the number of parameters."""
    fits = fit_laws(counts_of(np.random.default_rng(0).normal(size=500))).fits
    for fit, law in zip(fits.values(), LAWS, strict=True):
        k = len(law.parameters)
        assert (fit.law, fit.n, tuple(fit.params)) == (law.name, 500, law.parameters)
        assert fit.aic == pytest.approx(2 * k - 2 * fit.loglik)
        assert fit.bic == pytest.approx(k * log(500) - 2 * fit.loglik)


@pytest.mark.parametrize(
    ("x", "law"),
    [
        (np.random.default_rng(0).normal(1, 2, 5000), "normal"),
        (np.random.default_rng(1).laplace(1, 2, 5000), "laplace"),
        (np.random.default_rng(2).logistic(1, 2, 5000), "logistic"),
        (np.random.default_rng(3).normal(1, 2, 5000), "logistic"),
        (1 + np.random.default_rng(4).standard_t(4, 5000), "student_t"),
        (1 + stats.gennorm.rvs(1.5, size=5000, random_state=5), "gennorm"),
        (1 + stats.gennorm.rvs(3.0, size=5000, random_state=6), "gennorm"),
        (np.random.default_rng(7).uniform(-1, 3, 5000), "uniform"),
    ],
)
def test_parameters_equal_scipys_own_fit(x, law, counts_of):
    """The same maximum as scipy.stats finds on the bare values, within 1e-3."""
    member = next(member for member in LAWS if member.name == law)
    fit = fit_laws(counts_of(x), (member,))[law]
    _, name, got = member.scipy_terms(fit.params)[0]
    peer = getattr(stats, name)
    names = (*(peer.shapes or "").split(), "loc", "scale")
    want = dict(zip(names, peer.fit(x), strict=True))
    assert got == pytest.approx(want, rel=1e-3, abs=1e-3)


def test_nearly_one_part_is_normal(stored_as):
    """A mixture of sigma 1 and 1.02 is normal: the simplest law that costs nothing."""
    g = np.random.default_rng(0)
    x = np.where(g.random(N) < 0.5, 1, 1.02) * g.normal(size=N)
    assert fit_laws(stored_as(x, "BF16")).best.law == "normal"


def _fit(law, k, bic_bits, n=10_000):
    """A fit with k parameters whose BIC is bic_bits per weight above 1 (in bits)."""
    bic = 2 * n * log(2) * (1 + bic_bits)
    params = {str(i): 0.0 for i in range(k)}
    return Fit(law, params, (k * log(n) - bic) / 2, n, lambda: Goodness(0.0, 0.0, 0.0))


def test_best_takes_the_fewest_parameters_within_a_thousandth_of_a_bit():
    """Within 0.001 bits fewer parameters win, among equals the likeliest; else the lowest BIC."""

    def best(*fits):
        return Fits({f.law: f for f in fits}).best.law

    assert best(_fit("a", 4, 0.0), _fit("b", 3, 0.0009), _fit("c", 2, 0.0011)) == "b"
    assert best(_fit("a", 4, 0.0), _fit("b", 2, 0.0009), _fit("c", 2, 0.0005)) == "c"
    assert best(_fit("a", 4, 0.0), _fit("b", 2, 0.0011)) == "a"
    assert best(_fit("a", 2, 0.0), _fit("b", 2, 0.0009)) == "a"


def test_uniform_is_a_candidate_from_a_thousand_weights_on(counts_of):
    """Few weights are always bounded, so a small tensor is never called uniform."""
    g = np.random.default_rng(0)
    assert fit_laws(counts_of(g.uniform(size=999))).best.law != "uniform"
    assert fit_laws(counts_of(g.uniform(size=1000))).best.law == "uniform"


@pytest.mark.parametrize("values", [[], [np.nan] * 3, [0.0] * 5, [1.0] * 5, [1.0, 2.0]])
def test_no_fit_has_a_reason(values, counts_of):
    """What cannot be fitted has no fits, no best, and a reason."""
    fits = fit_laws(counts_of(np.array(values)))
    assert (fits.fits, fits.best, fits.get("normal")) == ({}, None, None)
    assert fits.reason


def test_excess_zeros_do_not_bend_the_laws(stored_as):
    """A normal with as many zeros is normal with beta 2; the zeros alone would give beta 0.1."""
    x = np.append(np.random.default_rng(0).normal(size=50_000), np.zeros(50_000))
    fits = fit_laws(stored_as(x, "BF16"))
    assert fits.best.law == "normal"
    assert fits["gennorm"].params["beta"] == pytest.approx(2, abs=0.1)
    assert fits["normal"].n == 50_000


def test_fits_are_the_same_from_several_threads(stored_as):
    """Fitting is pure: eight threads give what one gives, bit for bit."""
    counts = stored_as(np.random.default_rng(0).standard_t(5, 5000), "BF16")

    def fits_and_distances(counts):
        fits = fit_laws(counts)
        return fits, [fit.goodness for fit in fits.fits.values()]

    alone = fits_and_distances(counts)
    with ThreadPoolExecutor(8) as pool:
        assert all(fits == alone for fits in pool.map(fits_and_distances, [counts] * 8))


def test_distances_are_computed_once_and_only_where_they_are_read():
    """A fit without a report of its distance needs no distribution function."""
    calls = []

    def measure():
        calls.append(1)
        return Goodness(0.1, 0.2, None)

    fit = Fit("normal", {"mu": 0.0, "sigma": 1.0}, -1.0, 50, measure)
    assert (fit.bic, calls) == (2 * log(50) + 2, [])
    assert (fit.ks, fit.w1, fit.kl_bits) == (0.1, 0.2, None)
    assert len(calls) == 1


def test_bins_of_a_large_tensor_fit_as_its_values_do(counts_of):
    """The bins of a large float32 tensor have the parameters of the values, within 1e-3."""
    x = np.random.default_rng(0).standard_t(5, 100_000)
    exact, bins = fit_laws(counts_of(x)), fit_laws(counts_of(x, bins=True))
    assert bins.best.law == exact.best.law == "student_t"
    for law in LAWS:
        if law.name != "uniform":
            assert bins[law.name].params == pytest.approx(
                exact[law.name].params, rel=2e-3, abs=2e-3
            ), law.name


@pytest.mark.parametrize(
    ("law", "shape", "bound"), [("student_t", "nu", 200.0), ("gennorm", "beta", 8.0)]
)
def test_a_parameter_at_its_bound_equals_the_bound(law, shape, bound, counts_of):
    """Uniform weights have nu = 200 and beta = 8 exactly, so that a gate can compare."""
    fit = fit_laws(counts_of(np.random.default_rng(4).uniform(-1, 1, 5000)))[law]
    assert fit.at_bound
    assert fit.params[shape] == bound
