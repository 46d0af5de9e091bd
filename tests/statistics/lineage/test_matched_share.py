"""The estimated share of right pairs at its ends."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.statistics.lineage import matched_share as module
from weightscope.statistics.lineage.matched_share import matched_share
from weightscope.statistics.lineage.matching_null import best_pairs, matched_cosine_null


def shares(c: np.ndarray) -> float:
    """Of the best pairs."""
    pairs = best_pairs(c)
    return matched_share(c, *pairs, float(c[pairs].mean()), matched_cosine_null(c, *pairs))


def cosines(noise: float, neurons: int = 300, width: int = 150) -> np.ndarray:
    """Of neurons with themselves plus noise of that many sigma, about."""
    a, e = np.random.default_rng(0).standard_normal((2, neurons, width)) / width**0.5
    product: np.ndarray = a @ (a + noise * e).T / (1 + noise**2) ** 0.5
    return product


def test_equal_neurons_are_all_matched() -> None:
    """1, and of no other cosine than 0 as well."""
    assert shares(cosines(0.1)) == pytest.approx(1, abs=1e-6)
    assert shares(np.eye(9)) == 1


def test_unrelated_neurons_are_not() -> None:
    """A cosine at or below the null leaves 1/n for each pair."""
    c = cosines(1e6)
    pairs = best_pairs(c)
    assert matched_share(c, *pairs, 0.2, 0.2) == pytest.approx(1 / 300, rel=0.05)
    assert matched_share(np.zeros((5, 5)), np.arange(5), np.arange(5), 0.0, 0.0) == 0.2


def test_a_sample_counts_the_wrong_pairs_that_it_lacks(monkeypatch) -> None:
    """150 of 300 pairs give about the share of all, where it is neither 0 nor 1."""
    c = cosines(3.3)
    whole = shares(c)
    assert 0.5 < whole < 0.99
    monkeypatch.setattr(module, "SAMPLE", 150)
    assert shares(c) == pytest.approx(whole, abs=0.08)


def test_one_neuron_has_one_partner() -> None:
    """And none has none."""
    one = np.zeros(1, int)
    assert matched_share(np.ones((1, 1)), one, one, 1.0, 0.0) == 1
    assert matched_share(np.ones((0, 0)), one[:0], one[:0], 0.0, 0.0) == 0
