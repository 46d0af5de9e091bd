"""Resamples of a power-law tail: intervals that hold the truth, and the goodness of the fit."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from weightscope.statistics.spectra.power_law import power_law
from weightscope.statistics.spectra.tail_resamples import alpha_goodness, alpha_interval


def _pareto(seed: int, n: int = 300, alpha: float = 2.5) -> np.ndarray:
    return np.random.default_rng(seed).pareto(alpha - 1, n) + 1


NOISE = np.linalg.svd(np.random.default_rng(3).standard_normal((150, 300)), compute_uv=False) ** 2


def test_interval_holds_the_truth_as_often_as_it_says():
    """The 90% intervals of 20 Pareto samples hold the true alpha in about 18 of them."""
    held = [alpha_interval(_pareto(seed, 100), seed, 40) for seed in range(20)]
    assert sum(low <= 2.5 <= high for low, high in held) >= 15
    assert all(low < high for low, high in held)


def test_interval_is_seeded_and_has_no_order():
    """One seed, one interval, for any order of the eigenvalues; another seed, another one."""
    x = NOISE
    once = alpha_interval(x, 1, 20)
    assert alpha_interval(x[::-1], 1, 20) == once
    assert alpha_interval(x, 2, 20) != once


def test_interval_of_two_values_leaves_out_draws_of_one():
    """Half the resamples repeat one value and have no alpha; the others have the closed form."""
    alpha = 1 + 2 / log(2.5)
    assert alpha_interval(np.array([2.0, 5.0]), 0) == pytest.approx((alpha, alpha))


@pytest.mark.parametrize("values", [[], [2.0], [3.0] * 50])
def test_nothing_to_resample(values):
    """Fewer than two different values have neither interval nor goodness."""
    assert alpha_interval(np.array(values), 0) is None
    assert alpha_goodness(np.array(values), 0) is None


def test_goodness_of_true_samples_is_spread_over_its_range():
    """Of 20 Pareto samples about 10% have a goodness below 0.1, and the mean is near 1/2."""
    goodness = [alpha_goodness(_pareto(seed, 40), seed, 20) for seed in range(20)]
    assert sum(p < 0.1 for p in goodness) <= 5
    assert 0.35 <= np.mean(goodness) <= 0.65


def test_an_even_spectrum_is_ruled_out():
    """400 even values are no power law: hardly a sample of the law is as far from its fit."""
    assert alpha_goodness(np.linspace(1, 4, 400), 0, 50) < 0.1


def test_goodness_is_seeded_and_has_no_order():
    """One seed, one share, for any order of the eigenvalues."""
    once = alpha_goodness(NOISE, 1, 20)
    assert alpha_goodness(NOISE[::-1], 1, 20) == once
    assert once * 20 == int(once * 20)


def test_samples_keep_the_body_and_draw_the_tail(monkeypatch):
    """Values below xmin are those of the spectrum; above it they are new."""
    x = np.concatenate([np.linspace(0.5, 0.99, 300), _pareto(7)])
    fit = power_law(x)
    seen = []
    monkeypatch.setattr(
        "weightscope.statistics.spectra.tail_resamples.power_law",
        lambda values: seen.append(values) or fit,
    )
    assert alpha_goodness(x, 0, 10) == 1.0  # the same D is as large
    for sample in seen[1:]:
        assert len(sample) == len(x)
        below = sample[sample < fit.xmin]
        assert set(below) <= set(x)
        assert not set(sample[sample >= fit.xmin]) & set(x)
        assert abs(len(sample) - len(below) - fit.tail) < 60
        logs = np.log(sample[sample >= fit.xmin] / fit.xmin)
        assert logs.mean() * (fit.alpha - 1) == pytest.approx(1, abs=0.3)
