"""Labels rule by rule, and of simulated laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from weightscope.sketches.value_counts import ValueCounts
from weightscope.statistics.elements.filters import both_filters
from weightscope.statistics.elements.largest_z import max_z_null
from weightscope.statistics.elements.moments import moments
from weightscope.statistics.laws.fitting import fit_laws
from weightscope.statistics.laws.pattern import Filtered, Traits, after_filters, labelled, pattern

GAUSSIAN = Traits(
    n=10_000,
    distinct=None,
    zeros=0,
    best="normal",
    ks_best=0.004,
    spike_share=0.5,
    spike_ratio=1.2,
    beta=2.11,
    beta_se=0.04,
    kurtosis=0.01,
    max_z=4.0,
    max_z_null=max_z_null(10_000),
)
MIXTURE = {"best": "normal_mixture", "spike_share": 0.5, "spike_ratio": 10.0, "beta": 0.5}


def _label(counts: ValueCounts) -> str | None:
    return labelled(counts, fit_laws(counts), after_filters(counts))


def _spiked(n: int, g: np.random.Generator, share: float, ratio: float) -> np.ndarray:
    """A dense spike on a base."""
    return np.where(g.random(n) < share, 1.0, ratio) * g.normal(size=n)


@pytest.mark.parametrize(
    ("law", "label"),
    [
        (stats.norm(0, 0.02), "gaussian"),
        (stats.gennorm(0.8, 0, 0.02), "sharp"),
        (stats.laplace(0, 0.02), "linear"),
        (stats.gennorm(1.05), "linear"),
        (stats.gennorm(1.4), "heavy"),
        (stats.gennorm(1.7), "heavy"),
        (stats.gennorm(3.0), "light"),
        (stats.gennorm(4.0), "light"),
        (stats.triang(0.5), "light"),
        (stats.t(4), "heavy"),
        (stats.uniform(-1, 2), "uniform"),
        (stats.expon(), "none"),
        (stats.lognorm(1), "none"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.dist.name,
)
def test_simulated_laws_have_their_label(counts_of, law, label):
    """Samples have the label of their law, with or without outliers."""
    x = law.rvs(30_000, random_state=np.random.default_rng(1))
    result = _label(counts_of(x))
    assert result.removesuffix("+outliers") == label
    assert result.endswith("+outliers") == (
        np.abs(x - x.mean()).max() / x.std() > 2 * max_z_null(len(x))
    )


@pytest.mark.parametrize(("true", "after"), [(0.9, 1.07), (1.1, 1.28), (2.0, 2.11)])
def test_thresholds_are_what_filters_make_of_the_true_beta(counts_of, true, after):
    """Both filters turn a generalised Gaussian of 0.9 into 1.07, 1.1 into 1.28, 2 into 2.11."""
    x = stats.gennorm.rvs(true, size=300_000, random_state=2)
    filtered = after_filters(counts_of(x, bins=True))
    assert filtered.beta == pytest.approx(after, abs=0.02)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("ratio", [10.0, 30.0])
def test_a_dense_spike_on_a_base_is_an_inverted_t(counts_of, share, ratio):
    """Whatever the share of the spike."""
    x = _spiked(20_000, np.random.default_rng(3), share, ratio)
    assert _label(counts_of(x)).removesuffix("+outliers") == "inverted-T"


def test_zeros_in_excess_are_sparse(stored_as):
    """A Gaussian of which half is zero is no inverted T."""
    g = np.random.default_rng(3)
    x = np.where(g.random(30_000) < 0.5, 0.0, g.normal(size=30_000))
    assert _label(stored_as(x, "BF16")) == "sparse"


def test_two_lumps_have_no_law(counts_of):
    """No fitted law has two modes."""
    g = np.random.default_rng(3)
    x = np.where(g.random(20_000) < 0.5, 2.0, -2.0) + g.normal(size=20_000)
    assert _label(counts_of(x)) == "none"


@pytest.mark.parametrize("dtype", ["F8_E4M3", "BF16"])
def test_a_lattice_has_the_label_of_the_law_behind_it(stored_as, dtype):
    """The filter of tiny weights keeps the zero of a lattice."""
    x = np.round(np.random.default_rng(3).normal(0, 2, 60_000)) / 64
    assert _label(stored_as(x, dtype)) == "gaussian"


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({}, "gaussian"),
        ({"n": 999}, None),
        ({"n": 999, "distinct": 1}, None),
        ({"distinct": 1}, "constant"),
        ({"zeros": 200, "ks_best": 0.2}, "sparse"),
        ({"ks_best": 0.0401}, "none"),
        ({"ks_best": 0.0399}, "gaussian"),
        ({"best": "uniform", "beta": 8.0}, "uniform"),
        ({"best": "uniform", "ks_best": 0.05}, "none"),
        (MIXTURE, "inverted-T"),
        (MIXTURE | {"spike_ratio": 4.99}, "sharp"),
        (MIXTURE | {"spike_share": 0.951}, "sharp"),
        (MIXTURE | {"spike_share": 0.949}, "inverted-T"),
        (MIXTURE | {"best": "gennorm"}, "sharp"),
        (MIXTURE | {"ks_best": 0.099}, "inverted-T"),
        (MIXTURE | {"ks_best": 0.101}, "none"),
        ({"beta": 1.069}, "sharp"),
        ({"beta": 1.07}, "linear"),
        ({"beta": 1.279}, "linear"),
        ({"beta": 1.28}, "heavy"),
        ({"beta": 1.929}, "heavy"),
        ({"beta": 1.931}, "gaussian"),
        ({"beta": 2.289}, "gaussian"),
        ({"beta": 2.291}, "light"),
        ({"beta": 2.22, "beta_se": None}, "light"),
        ({"beta": None}, "heavy"),
        ({"beta": None, "kurtosis": -0.1}, "light"),
        ({"beta": None, "kurtosis": None}, None),
        ({"max_z": 2.01 * GAUSSIAN.max_z_null}, "gaussian+outliers"),
        ({"max_z": 1.99 * GAUSSIAN.max_z_null}, "gaussian"),
        (
            {
                "best": None,
                "ks_best": None,
                "spike_share": None,
                "spike_ratio": None,
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


def test_filtered_moments_are_those_of_the_filtered_weights(counts_of):
    """Within three sigma and beyond a thousandth of it."""
    counts = counts_of(np.random.default_rng(4).normal(0.001, 0.02, 5000))
    want = moments(both_filters(counts))
    filtered = after_filters(counts)
    assert (filtered.std, filtered.kurtosis) == (want["std"], want["kurtosis"])


def test_nothing_has_no_filtered_values():
    """Without weights nothing passes."""
    assert after_filters(ValueCounts()) == Filtered()
