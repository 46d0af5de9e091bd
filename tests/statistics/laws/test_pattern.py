"""Labels rule by rule, and of simulated laws, whose filtered beta is fitted here independently."""

from __future__ import annotations

from dataclasses import replace
from math import lgamma, log

import numpy as np
import pytest
from scipy import optimize, stats

from weightscope.sketches.value_counts import ValueCounts
from weightscope.statistics.elements.filters import both_filters, trimmed
from weightscope.statistics.elements.largest_z import max_z, max_z_null
from weightscope.statistics.elements.moments import moments
from weightscope.statistics.laws.pattern import Traits, central_share, far_share, pattern

GAUSSIAN = Traits(
    n=10_000,
    distinct=None,
    best="normal",
    ks_normal=0.004,
    beta=2.0,
    trimmed_kurtosis=-0.17,
    kurtosis=0.01,
    central=0.04,
    far=0.0,
    max_z=4.0,
    max_z_null=max_z_null(10_000),
)


def _beta(counts: ValueCounts) -> float:
    """Likeliest beta about zero: alpha^beta = beta mean|w|^beta."""
    size, share = np.abs(counts.value), counts.counts / counts.n

    def cost(log_beta: float) -> float:
        b = np.exp(log_beta)
        return lgamma(1 / b) + 1 / b - log(b / 2) + log(b * float(size**b @ share)) / b

    return float(
        np.exp(optimize.minimize_scalar(cost, bounds=(log(0.1), log(8)), method="bounded").x)
    )


def _traits(x: np.ndarray, counts: ValueCounts, best: str) -> Traits:
    ks_normal = stats.kstest(x, "norm", (x.mean(), x.std())).statistic
    return Traits(
        n=counts.n,
        distinct=counts.distinct,
        best=best,
        ks_normal=ks_normal,
        beta=_beta(both_filters(counts)),
        trimmed_kurtosis=trimmed(counts)["trimmed_kurtosis"],
        kurtosis=moments(counts)["kurtosis"],
        central=central_share(counts),
        far=far_share(counts),
        max_z=max_z(counts),
        max_z_null=max_z_null(counts.n),
    )


@pytest.mark.parametrize(
    ("law", "label"),
    [
        (stats.norm(0, 0.02), "gaussian"),
        (stats.gennorm(0.8, 0, 0.02), "sharp"),
        (stats.laplace(0, 0.02), "linear"),
        (stats.gennorm(1.05), "linear"),
        (stats.gennorm(1.4), "heavy"),
        (stats.gennorm(4.0), "light"),
        (stats.t(4), "heavy"),
        (stats.uniform(-1, 2), "uniform"),
    ],
)
def test_simulated_laws_have_their_label(counts_of, law, label):
    """Samples have the label of their law, with or without outliers."""
    x = law.rvs(100_000, random_state=np.random.default_rng(1))
    result = pattern(_traits(x, counts_of(x), "uniform" if label == "uniform" else "other"))
    assert result.removesuffix("+outliers") == label
    assert result.endswith("+outliers") == (
        np.abs(x - x.mean()).max() / x.std() > 2 * max_z_null(len(x))
    )


@pytest.mark.parametrize(("true", "after"), [(0.9, 1.07), (1.1, 1.28)])
def test_thresholds_are_what_filters_make_of_the_true_beta(counts_of, true, after):
    """Both filters turn a generalised Gaussian of beta 0.9 into 1.07 and one of 1.1 into 1.28."""
    x = stats.gennorm.rvs(true, size=300_000, random_state=2)
    assert _beta(both_filters(counts_of(x))) == pytest.approx(after, abs=0.02)


def test_inverted_t_is_a_narrow_middle_with_a_far_bar(counts_of):
    """Most weights near zero and some far away make an inverted T, outliers named."""
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, 50_000) * np.where(rng.random(50_000) < 0.8, rng.random(50_000) ** 3, 1.0)
    x[:50] = rng.normal(0, 60, 50)
    counts = counts_of(x)
    assert central_share(counts) > 3 * 0.0399
    assert pattern(_traits(x, counts, "student_t")) == "inverted-T+outliers"


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({}, "gaussian"),
        ({"n": 999}, None),
        ({"n": 999, "distinct": 1}, None),
        ({"distinct": 1}, "constant"),
        ({"best": "uniform", "central": 0.5, "far": 0.1}, "uniform"),
        ({"central": 0.1198, "far": 2e-5, "beta": 1.0}, "inverted-T"),
        ({"central": 0.1196, "far": 2e-5, "beta": 1.0}, "sharp"),
        ({"central": 0.1198, "far": 1e-5, "beta": 1.0}, "sharp"),
        ({"beta": 1.069}, "sharp"),
        ({"beta": 1.07}, "linear"),
        ({"beta": 1.279}, "linear"),
        ({"beta": 1.28}, "gaussian"),
        ({"ks_normal": 0.0299}, "gaussian"),
        ({"ks_normal": 0.0301}, "heavy"),
        ({"trimmed_kurtosis": 0.83}, "heavy"),
        ({"trimmed_kurtosis": -1.18, "kurtosis": -1.0}, "light"),
        ({"max_z": 2.01 * GAUSSIAN.max_z_null}, "gaussian+outliers"),
        ({"max_z": 1.99 * GAUSSIAN.max_z_null}, "gaussian"),
        ({"ks_normal": None, "kurtosis": None}, None),
        (
            {
                "best": None,
                "beta": None,
                "central": None,
                "far": None,
                "max_z": None,
                "max_z_null": None,
            },
            "gaussian",
        ),
    ],
)
def test_first_rule_that_holds(change, label):
    """Each threshold is exact, earlier rules win, and unknown values decide nothing."""
    assert pattern(replace(GAUSSIAN, **change)) == label


@pytest.mark.parametrize("bins", [False, True])
def test_shares_of_a_gaussian(counts_of, bins):
    """A Gaussian has 0.0399 within |z| = 0.05 and nothing beyond 8, as numpy counts."""
    x = np.random.default_rng(4).normal(0.001, 0.02, 200_000)
    x[:20] = 1.0
    counts = counts_of(x, bins=bins)
    z = np.abs(x - np.median(x)) / (np.subtract(*np.quantile(x, [0.75, 0.25])) / 1.349)
    assert central_share(counts) == pytest.approx((z < 0.05).mean(), abs=2e-4 if bins else 0)
    assert central_share(counts) == pytest.approx(0.0399, abs=1.5e-3)
    assert far_share(counts) == (z > 8).mean() == 20 / 200_000


def test_no_quartile_distance(counts_of):
    """Where most weights are equal they are central, and all others are far."""
    counts = counts_of([1.0] * 90 + [2.0] * 10)
    assert (central_share(counts), far_share(counts)) == (0.9, 0.1)


def test_nothing_has_no_shares():
    """Without weights there are no shares."""
    assert (central_share(ValueCounts()), far_share(ValueCounts())) == (None, None)
