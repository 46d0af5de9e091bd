"""The power-law tail against a loop over the definition, Pareto samples and WeightWatcher 0.7.7."""

from __future__ import annotations

import warnings
from dataclasses import astuple
from math import e, exp, inf, log, log10, nan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.statistics.spectra import power_law as module
from weightscope.statistics.spectra.power_law import (
    PowerLaw,
    alpha_weighted,
    log_alpha_norm,
    power_law,
    tail_above,
)

# alpha, D, xmin, num_pl_spikes and sigma of WeightWatcher 0.7.7, fit_powerlaw on _oracle_spectrum
WEIGHTWATCHER = {
    "gaussian": (
        10.552682714544977,
        0.15727413789339773,
        0.7811001646011745,
        10,
        3.020823514288221,
    ),
    "heavy": (3.4762892170838895, 0.050799844116805326, 0.5625690543190749, 24, 0.5054704197842979),
    "low rank": (3.34472720822552, 0.15647852960254316, 9564.192701778793, 11, 0.7069618532201425),
    "small": (
        7.028394931156756,
        0.15404944998369702,
        2.992440184861468e-05,
        12,
        1.7402477181423643,
    ),
}


def _oracle_spectrum(name: str) -> np.ndarray:
    rng = np.random.default_rng(7)
    matrix = {
        "gaussian": lambda: rng.normal(0, 0.05, (96, 128)),
        "heavy": lambda: 0.02 * rng.standard_t(2.5, (120, 200)),
        "low rank": lambda: rng.standard_normal((80, 30)) @ rng.standard_normal((30, 100)),
        "small": lambda: rng.normal(0, 3e-4, (100, 150)),  # half of its eigenvalues are below 1e-5
    }[name]()
    return np.linalg.svd(matrix, compute_uv=False) ** 2


def _pareto(seed: int, n: int = 300, alpha: float = 2.5) -> np.ndarray:
    return np.random.default_rng(seed).pareto(alpha - 1, n) + 1


def _lognormal(n: int) -> np.ndarray:
    return np.exp(np.random.default_rng(2).normal(0, 3, n))


SPECTRA = {
    "pareto": _pareto(1),
    "lognormal": _lognormal(250),
    "noise": np.linalg.svd(np.random.default_rng(3).standard_normal((150, 300)), compute_uv=False)
    ** 2,
    "tied": np.random.default_rng(4).choice(_pareto(5, 100), 200),
    "geometric": 1.2 ** np.arange(60.0),
}


def _alpha(x: list[float], i: int) -> float:
    spread = sum(log(v / x[i]) for v in x[i:])
    return 1 + (len(x) - i) / spread if spread > 0 else inf


def _d(x: list[float], i: int) -> float:
    alpha, c = _alpha(x, i), len(x) - i
    return (
        1.0
        if alpha == inf
        else max(abs(1 - (v / x[i]) ** (1 - alpha) - k / c) for k, v in enumerate(x[i:]))
    )


def _assert_follows_the_definition(found: PowerLaw | None, x: np.ndarray) -> None:
    """D is the least of all starts; alpha, xmin and sigma are those of a start that has it."""
    assert found is not None
    x = sorted(x.tolist())
    start = len(x) - found.tail
    assert found.ks == pytest.approx(min(_d(x, i) for i in range(len(x) - 1)), abs=1e-9)
    assert found.ks == pytest.approx(_d(x, start), abs=1e-9)
    assert found.alpha == pytest.approx(_alpha(x, start), rel=1e-9)
    assert found.xmin == x[start]
    assert found.sigma == pytest.approx((found.alpha - 1) / sqrt(found.tail), rel=1e-12)


@pytest.mark.parametrize("name", SPECTRA)
def test_fit_is_that_of_the_plain_loop(name):
    """The least D over every start, for any order of the eigenvalues."""
    x = SPECTRA[name]
    _assert_follows_the_definition(power_law(x), x)
    assert power_law(np.random.default_rng(0).permutation(x)) == power_law(np.sort(x))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=2, max_size=40), st.sampled_from([1.0, 1 / 7, 1e-9]))
def test_fit_of_any_values_is_that_of_the_plain_loop(values, unit):
    """Few values, equal values and any unit follow the definition; None where all are equal."""
    x = np.array(values) * unit
    if len(set(values)) == 1:
        assert power_law(x) is None
    else:
        _assert_follows_the_definition(power_law(x), x)


@pytest.mark.parametrize("name", SPECTRA)
def test_starts_are_left_out_without_changing_the_fit(name, monkeypatch):
    """Without lower bounds every start is evaluated in full: the same record bit for bit."""
    quick = power_law(SPECTRA[name])
    monkeypatch.setattr(module, "_bounds", lambda logs, slopes: np.zeros(len(slopes)))
    assert power_law(SPECTRA[name]) == quick


def test_few_starts_are_evaluated_in_full(monkeypatch):
    """Fewer than a tenth of 1,000 starts need their whole tail: hence the speed."""
    seen = []
    distance = module._distance
    monkeypatch.setattr(
        module, "_distance", lambda tail, *rest: seen.append(len(tail)) or distance(tail, *rest)
    )
    power_law(_lognormal(1000))
    assert 0 < len(seen) < 100


def test_the_first_start_wins_on_ties(monkeypatch):
    """Starts of the same D: the longest tail is taken."""
    monkeypatch.setattr(module, "_distance", lambda tail, slope, ranks: 1.0)
    assert power_law(SPECTRA["pareto"]).tail == 300


def test_two_values_in_closed_form():
    """alpha = 1 + 2/ln(b/a), and D = 1/2 - e^-2 whatever the two values are."""
    found = power_law(np.array([5.0, 2.0]))
    alpha = 1 + 2 / log(2.5)
    assert astuple(found) == pytest.approx(
        (alpha, 0.5 - exp(-2), 2.0, 2, (alpha - 1) / sqrt(2)), rel=1e-12
    )


def test_three_values_in_closed_form():
    """1, 2, 4: alpha = 1 + 1/ln 2, D = 1 - 1/e - 1/3; of 1, 2, 2 the equal pair is no start."""
    found = power_law(np.array([4.0, 1.0, 2.0]))
    assert astuple(found)[:4] == pytest.approx(
        (1 + 1 / log(2), 1 - 1 / e - 1 / 3, 1.0, 3), rel=1e-12
    )
    tied = power_law(np.array([1.0, 2.0, 2.0]))
    assert astuple(tied)[:4] == pytest.approx(
        (1 + 1.5 / log(2), 1 - exp(-1.5) - 1 / 3, 1.0, 3), rel=1e-12
    )


@pytest.mark.parametrize(
    "values",
    [
        [],
        [2.0],
        [0.0, 0.0, 2.0],
        [3.0] * 50,
        [0.1 + 0.2, 0.3],
        [-1.0, 0.0],
        [nan, 1.0],
        [1.0, inf],
        [inf, inf],
    ],
)
def test_nothing_to_fit(values):
    """Fewer than two positive values, values equal up to rounding, an infinite value."""
    assert power_law(np.array(values)) is None


def test_an_orthogonal_matrix_has_no_power_law():
    """Its singular values differ by rounding alone."""
    q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((64, 64)))
    assert power_law(np.linalg.svd(3 * q, compute_uv=False) ** 2) is None


def test_relative_cut_leaves_zeros_out():
    """The default cut excludes values up to 1e-12 of the largest: zeros, rounding, negatives."""
    x = SPECTRA["pareto"]
    noisy = np.concatenate([[0.0, -1e-14, 0.99e-12 * x.max()], x])
    assert np.array_equal(tail_above(noisy, None), np.sort(x))
    assert power_law(tail_above(noisy, None)) == power_law(x)
    assert tail_above(np.array([1e-12, 1.0, 2e-12]), None).tolist() == [2e-12, 1.0]


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [-1.0]])
def test_nothing_is_above_the_relative_cut(values):
    """No eigenvalues, zeros and negatives have an empty tail."""
    assert tail_above(np.array(values), None).tolist() == []


def test_absolute_cut_is_in_the_unit_of_lambda():
    """A cut keeps larger values, not equal ones, whatever the largest is."""
    assert tail_above(np.array([1e-5, 2.0, 1.1e-5, 0.0]), 1e-5).tolist() == [1.1e-5, 2.0]
    assert tail_above(np.array([1e-6, 1e-7]), 1e-5).tolist() == []


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_the_unit_changes_neither_alpha_nor_the_tail(name, unit):
    """The fit is scale-free; xmin alone has the unit."""
    x = SPECTRA[name]
    here, there = (power_law(tail_above(scaled, None)) for scaled in (x, x * unit))
    assert there.tail == here.tail
    assert (there.alpha, there.ks, there.xmin) == pytest.approx(
        (here.alpha, here.ks, here.xmin * unit), rel=1e-9
    )


@pytest.mark.parametrize("alpha", [1.5, 2.5, 4.0])
def test_true_samples_give_their_alpha(alpha):
    """Of 100 Pareto samples 97 have alpha within three standard errors, and 93 no note."""
    fits = [power_law(_pareto(seed, 300, alpha)) for seed in range(100)]
    assert sum(abs(fit.alpha - alpha) < 3 * fit.sigma for fit in fits) >= 97
    assert 93 <= sum(fit.note is None for fit in fits) < 100


def test_note_of_poor_fits_and_of_short_tails():
    """A tail below 20 values and D above 0.8/sqrt(tail) have a note; the limits have none.

    Below 10 values the note says that there is no exponent.
    """

    def law(ks: float, tail: int) -> PowerLaw:
        return PowerLaw(3.0, ks, 1.0, tail, 2 / sqrt(tail))

    assert law(0.01, 9).note.text == "no power law: 9 values in the tail, fewer than 10"
    assert [law(0.01, tail).note.code for tail in (9, 10)] == ["no-power-law", "poor-power-law"]
    assert law(0.01, 19).note.text == "not a power law: 19 values in the tail, fewer than 20"
    assert law(0.2, 64).note.text == "not a power law: alpha_ks 0.2 is above 0.8/sqrt(64)"
    assert law(0.1, 64).note is None
    assert law(0.1, 20).note is None
    assert (
        power_law(np.linspace(1, 4, 400)).note.text
        == "not a power law: alpha_ks 0.166 is above 0.8/sqrt(54)"
    )


@pytest.mark.parametrize("name", WEIGHTWATCHER)
def test_absolute_cut_gives_weightwatchers_figures(name):
    """With its cut of 1e-5: alpha, D, xmin, tail and sigma as printed by WeightWatcher 0.7.7."""
    found = power_law(tail_above(_oracle_spectrum(name), 1e-5))
    assert astuple(found) == pytest.approx(WEIGHTWATCHER[name], rel=1e-6)


@pytest.mark.parametrize("name", ["pareto", "noise", "lognormal", "geometric", *WEIGHTWATCHER])
def test_fit_is_that_of_weightwatcher_itself(name):
    """Where WeightWatcher is installed its own fit of the same spectrum agrees."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weightwatcher = pytest.importorskip("weightwatcher")
        x = SPECTRA[name] if name in SPECTRA else _oracle_spectrum(name)
        alpha, _, xmin, _, ks, sigma, tail, *_ = weightwatcher.WeightWatcher().fit_powerlaw(
            np.sort(x), plot=False
        )
    assert astuple(power_law(tail_above(x, 1e-5))) == pytest.approx(
        (alpha, ks, xmin, tail, sigma), rel=1e-6
    )


def test_weighted_alpha_and_norm_are_their_formulas():
    """alpha log10 lambda_max, and log10 sum lambda^alpha over all eigenvalues but zeros."""
    x = SPECTRA["pareto"]
    assert alpha_weighted(2.5, x) == 2.5 * log10(x.max())
    assert log_alpha_norm(2.5, np.append(x, [0.0, -1e-17])) == pytest.approx(
        log10((x**2.5).sum()), rel=1e-12
    )


@pytest.mark.parametrize("unit", [1e-30, 1e30])
def test_norm_of_powers_beyond_float64(unit):
    """lambda^alpha overflows where log10 of the sum does not."""
    x = np.array([1.0, 2.0, 2.0]) * unit
    assert log_alpha_norm(40.0, x) == pytest.approx(40 * log10(2 * unit) + log10(2), rel=1e-9)
