"""The equations of `Law`, run on every member of LAWS at its typical parameters."""

from __future__ import annotations

import warnings
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from weightscope.statistics.laws import LAWS
from weightscope.statistics.laws.cells import prepare
from weightscope.statistics.laws.fitting import fit_laws, fitted
from weightscope.statistics.laws.law import centre_of, in_units, pdf

MOST = 30_000  # weights of a sample
Q = np.array([1e-6, 1e-3, 0.02, 0.3, 0.499, 0.5, 0.61, 0.9, 0.999, 1 - 1e-6])
GROUND = [
    pytest.param(law, p, id=f"{law.name}-{i}") for law in LAWS for i, p in enumerate(law.typical)
]
EACH = pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
GROUNDS = pytest.mark.parametrize(("law", "p"), GROUND)


SYMMETRIC = pytest.mark.parametrize(
    ("law", "p"), [ground for ground in GROUND if ground.values[0].symmetric]
)
# By law, parameters that a coarse lattice changes by less than 2%: the others follow the ends, the
# tails or single weights. Of a law that is not here, ks may change by 0.02 on a lattice.
ROBUST = {
    "normal": ("sigma",),
    "laplace": ("b",),
    "logistic": ("s",),
    "student_t": ("s",),
    "gennorm": ("alpha", "beta"),
    "truncnorm": ("sigma",),
    "normal_mixture": (),
}


def in_scipy(law, p):
    """The terms of a law in scipy.stats, each with its share."""
    return [
        (share, getattr(stats, name)(**arguments)) for share, name, arguments in law.scipy_terms(p)
    ]


def sample(law, p, n):
    """The first of equal weights at each call: some quantiles are searched."""
    return _sample(law.name, tuple(p.items()))[:n]


@cache
def _sample(name, p):
    law = next(law for law in LAWS if law.name == name)
    values = law.ppf(np.random.default_rng(0).random(MOST), dict(p))
    values.flags.writeable = False
    return values


def mirrored(law, p):
    """Parameters of -X given those of X, of a symmetric law."""
    last_first = reversed(law.locations)
    return p | {name: -p[other] for name, other in zip(law.locations, last_first, strict=True)}


@GROUNDS
def test_density_integrates_to_one(law, p):
    """The density has mass 1 between far quantiles."""
    x = law.ppf(np.array([1e-9, 1e-6, 1e-4, 0.01, 0.3, 0.7, 0.99, 1 - 1e-4, 1 - 1e-6, 1 - 1e-9]), p)
    kinks = [law.ppf(0.5, p), *(p[name] for name in law.locations)]
    points = np.sort(np.append(x, kinks))
    mass = 0.0
    for a, b in pairwise(points):
        mass += integrate.quad(lambda t: float(pdf(law, t, p)), a, b)[0]
    assert mass == pytest.approx(1.0, abs=1e-7)


@GROUNDS
def test_density_is_the_slope_of_the_distribution_function(law, p):
    """cdf' = pdf inside the support."""
    x = law.ppf(np.array([0.01, 0.2, 0.45, 0.7, 0.99]), p)
    h = 1e-5 * float(x[-1] - x[0])
    assert (law.cdf(x + h, p) - law.cdf(x - h, p)) / (2 * h) == pytest.approx(
        pdf(law, x, p), rel=1e-5
    )


@GROUNDS
def test_quantiles_invert_the_distribution_function(law, p):
    """cdf(ppf(q)) = q."""
    assert law.cdf(law.ppf(Q, p), p) == pytest.approx(Q, rel=1e-7)


@GROUNDS
def test_law_equals_scipy(law, p):
    """cdf and logpdf equal the weighted sum of the named scipy laws."""
    x = law.ppf(Q, p)
    terms = in_scipy(law, p)
    cdf = sum(share * term.cdf(x) for share, term in terms)
    assert law.cdf(x, p) == pytest.approx(cdf, rel=1e-9, abs=1e-13)
    want = np.log(sum(share * term.pdf(x) for share, term in terms))
    assert law.logpdf(x, p) == pytest.approx(want, rel=1e-9, abs=1e-9)


@SYMMETRIC
def test_a_symmetric_law_is_symmetric_about_its_centre(law, p):
    """Mirrored cells have the same mass: likelihoods of the right side rely on it."""
    x, c = law.ppf(Q, p), centre_of(law, p)
    assert law.cdf(2 * c - x, p) == pytest.approx(1 - law.cdf(x, p), abs=1e-12)


@EACH
def test_parameters_are_locations_scales_or_shapes(law):
    """Typical values have the declared names, and `in_units` shifts and scales the law."""
    assert set(law.locations) | set(law.shapes) <= set(law.parameters)
    for p in law.typical:
        assert tuple(p) == law.parameters
        assert [p[name] for name in law.locations] == sorted(p[name] for name in law.locations)
        moved, q = in_units(law, p, 3.0, 2.0), np.array([0.1, 0.5, 0.8])
        assert law.ppf(q, moved) == pytest.approx(3.0 + 2.0 * law.ppf(q, p))


@GROUNDS
@pytest.mark.parametrize("dtype", [None, "BF16"])
def test_parameters_of_a_sample_are_recovered(law, p, dtype, counts_of, stored_as):
    """Samples give the parameters back within their sampling error, whatever the stored type."""
    x = sample(law, p, MOST)
    counts = stored_as(x, dtype) if dtype else counts_of(x)
    result = fit_laws(counts, (law,))[law.name]
    unit = x.std() if law.has_mean else np.subtract(*np.quantile(x, [0.75, 0.25]))
    for name, want in p.items():
        slack = 0.02 * unit if name in law.locations else 0.05 * abs(want)
        assert result.params[name] == pytest.approx(want, abs=slack), name
    assert result.ks < 0.01
    if law.has_mean:  # else w1 grows with the outermost knots
        assert result.w1 < 0.02


@EACH
@pytest.mark.parametrize(("shift", "factor"), [(0.0, 1e-6), (0.0, 1e6), (7.0, 0.5), (0.0, -3.0)])
def test_only_locations_and_scales_move_with_the_weights(law, shift, factor, counts_of):
    """A fit of a + b W has the parameters of W shifted by a and scaled by |b|, and its goodness."""
    if factor < 0 and not law.symmetric:
        pytest.skip("the mirror image of an asymmetric law is another law")
    x = np.random.default_rng(3).standard_t(5, 3000)
    one = fit_laws(counts_of(x), (law,))[law.name]
    two = fit_laws(counts_of(shift + factor * x), (law,))[law.name]
    want = in_units(law, one.params, 0.0, abs(factor))
    if factor < 0:
        want = mirrored(law, want)
    want = in_units(law, want, shift, 1.0)
    for name, value in want.items():
        assert two.params[name] == pytest.approx(value, rel=1e-3, abs=1e-4 * abs(factor)), name
    assert (two.ks, two.w1, two.kl_bits) == pytest.approx(
        (one.ks, one.w1, one.kl_bits), rel=1e-3, abs=1e-5
    )


HARD = {
    "zeros": np.append(np.random.default_rng(0).normal(size=900), np.zeros(900)),
    "three cells": np.array([1.0, 2.0, 3.0]),
    "lattice": np.arange(20.0) % 5,
    "nearly constant": np.append(np.ones(10_000), [1.1, 0.9]),
    "one outlier": np.append(np.random.default_rng(0).normal(size=5000), [175.0]),
    "far from zero": 1e6 + np.random.default_rng(0).normal(size=2000),
    "tiny": 1e-140 * np.random.default_rng(0).normal(size=500),
    "huge": 1e140 * np.random.default_rng(0).normal(size=500),
    "sparse": np.append(
        1e-7 * np.random.default_rng(0).normal(size=5000), np.random.default_rng(1).normal(size=50)
    ),
    "two lumps": np.repeat([-1.0, 1.0, 1.5], [500, 500, 1]),
}


@EACH
@pytest.mark.parametrize("name", HARD)
def test_fit_survives(law, name, counts_of):
    """Awkward weights give finite parameters inside the bounds, and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = fit_laws(counts_of(HARD[name]), (law,))[law.name]
    assert all(np.isfinite(v) for v in result.params.values())
    assert np.isfinite([result.loglik, result.aic, result.bic, result.ks, result.w1]).all()
    if result.n < 100:
        assert result.kl_bits is None
    else:
        assert np.isfinite(result.kl_bits)
    assert 0 <= result.ks <= 1
    assert result.w1 >= 0


@EACH
def test_lattice_gives_the_parameters_of_the_law_behind_it(law, stored_as):
    """On an fp8 grid with steps of sigma/5 the fit equals that of the unrounded weights."""
    x = np.random.default_rng(0).normal(0, 0.01, 200_000)
    fine = fit_laws(stored_as(x, "F16"), (law,))[law.name]
    coarse = fit_laws(stored_as(x, "F8_E4M3"), (law,))[law.name]
    assert coarse.ks == pytest.approx(fine.ks, abs=2e-3 if law.name in ROBUST else 0.02)
    for name in ROBUST.get(law.name, ()):
        assert coarse.params[name] == pytest.approx(fine.params[name], rel=0.02), name


@GROUNDS
def test_no_typical_fit_is_at_its_bound(law, p, counts_of):
    """Samples of the law itself have their parameters inside the bounds."""
    assert fit_laws(counts_of(sample(law, p, 20_000)), (law,))[law.name].at_bound is False


@pytest.mark.parametrize(
    "law",
    [law for law in LAWS if law.name in ("normal", "laplace", "logistic", "uniform")],
    ids=lambda law: law.name,
)
@pytest.mark.parametrize("name", HARD)
def test_laws_without_a_bound_are_at_none(law, name, counts_of):
    """Closed forms and a concave likelihood have no bound to end at, whatever the weights."""
    assert fit_laws(counts_of(HARD[name]), (law,))[law.name].at_bound is False


SEEDED = np.random.default_rng(6)
SPIKED = np.append(SEEDED.normal(size=2500), 1e-4 * SEEDED.normal(size=2500))
SPIKED = np.append(SPIKED, -SPIKED)  # one mean for both parts
FAR_AND_ALONE = np.append(SEEDED.normal(size=400_000), [40.0])
LONG_TAILED = np.exp(4 * SEEDED.normal(size=3000)) * SEEDED.choice([-1, 1], 3000)


@pytest.mark.parametrize(
    ("name", "x", "shape", "bound"),
    [
        ("student_t", np.linspace(-1, 1, 5001), "nu", 200.0),
        ("student_t", LONG_TAILED, "nu", 1.0),
        ("student_t", HARD["nearly constant"], "s", 1e-6),
        ("gennorm", np.linspace(-1, 1, 5001), "beta", 8.0),
        ("gennorm", SPIKED, "beta", 0.1),
        ("truncnorm", np.linspace(-1, 1, 5001), "sigma", 20 * 3**0.5),      # cut/0.05, both in std
        ("normal_mixture", HARD["nearly constant"], "sigma1", 1e-3),
        ("normal_mixture", SPIKED, "sigma1", 1e-3),
        ("normal_mixture", FAR_AND_ALONE, "w", 1 / (1 + np.exp(-12))),      # 6 of a million
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)  # fmt: skip
def test_a_fit_at_its_bound_has_the_value_of_the_bound(name, x, shape, bound, counts_of):
    """Each law with bounds, at each bound that weights can reach; scales are in std."""
    result = fit_laws(counts_of(x))[name]
    scale = 1.0 if shape in ("nu", "beta", "w") else float(np.std(x))
    assert result.at_bound is True
    assert result.params[shape] / scale == pytest.approx(bound, rel=1e-3 if shape != "w" else 1e-9)


def test_normal_weights_end_at_the_largest_nu(stored_as):
    """Student's t on normal weights is at its bound nu = 200."""
    result = fit_laws(stored_as(np.random.default_rng(0).normal(0, 0.02, 100_000), "BF16"))[
        "student_t"
    ]
    assert result.at_bound
    assert result.params["nu"] == pytest.approx(200)


def test_uniform_weights_leave_the_truncated_normal_flat(counts_of):
    """Where no sigma is large enough, truncnorm is at its bound."""
    result = fit_laws(counts_of(np.linspace(-1, 1, 5001)))["truncnorm"]
    assert result.at_bound
    assert result.params["sigma"] > 10 * result.params["cut"]


def test_flat_weights_end_at_the_largest_beta(counts_of):
    """gennorm on uniform weights is at beta = 8 and has no error."""
    result = fit_laws(counts_of(np.random.default_rng(0).uniform(size=5000)))["gennorm"]
    assert result.at_bound
    assert result.params["beta"] == pytest.approx(8)
    assert result.beta_se is None


def test_a_lump_ends_at_the_least_scale(counts_of):
    """More than half of the weights in one point have no best t: it is at its bound."""
    assert fit_laws(counts_of(HARD["nearly constant"]))["student_t"].at_bound


def test_uniform_ends_do_not_count_half_a_cell_as_room(stored_as):
    """U(-1, 1) in bf16: the cell of the value 1 reaches to 1.004, and hi is still 1."""
    x = np.random.default_rng(0).uniform(-1, 1, 500_000)
    result = fit_laws(stored_as(x, "BF16"))["uniform"].params
    assert result["hi"] == pytest.approx(1, abs=2e-4)
    assert result["lo"] == pytest.approx(-1, abs=2e-4)


@pytest.mark.parametrize("beta", [0.7, 1.5, 2.0])
def test_error_of_beta_is_its_spread_over_samples(beta, stored_as):
    """beta_se is the standard deviation of beta over independent samples, of which 24 are taken."""
    gennorm = next(law for law in LAWS if law.name == "gennorm")
    samples = [stats.gennorm.rvs(beta, size=4000, random_state=seed) for seed in range(24)]
    fits = [fit_laws(stored_as(x, "BF16"), (gennorm,))["gennorm"] for x in samples]
    spread = np.std([f.params["beta"] for f in fits])
    assert np.mean([f.beta_se for f in fits]) == pytest.approx(spread, rel=0.35)


def test_mixture_of_one_part_has_the_likelihood_of_the_normal(counts_of):
    """A mixture is never less likely than the normal inside it."""
    fits = fit_laws(counts_of(np.random.default_rng(5).normal(size=4000)))
    assert fits["normal_mixture"].loglik >= fits["normal"].loglik - 1e-6


def test_mixture_is_a_stationary_point(counts_of):
    """Moving any parameter of the fitted mixture loses likelihood."""
    g = np.random.default_rng(2)
    cells = prepare(counts_of(np.where(g.random(20_000) < 0.8, 1, 3) * g.normal(size=20_000)))
    law = next(law for law in LAWS if law.name == "normal_mixture")
    p = dict(fitted(law, cells).params)
    best = cells.p @ law.logpdf(cells.z, p)
    for name in ("w", "sigma1", "sigma2"):
        for factor in (0.99, 1.01):
            assert cells.p @ law.logpdf(cells.z, p | {name: p[name] * factor}) < best
