"""Assignment of neurons: planted permutations, and unrelated neurons."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from tests.statistics.lineage.cross_products import cross_products
from weightscope.statistics.lineage import matching_null
from weightscope.statistics.lineage.assignment import assignment, too_many
from weightscope.statistics.lineage.neuron_cosines import neuron_cosines


def found(a, b):
    """The assignment of up rows and down columns together."""
    parts = [cross_products(x, y) for x, y in zip(a, b, strict=True)]
    return assignment(neuron_cosines(parts))


def planted(noise: float, seed: int, neurons: int = 128, width: int = 64):
    """Two matrices of A, those of B (permuted, with noise of that many sigma), the permutation."""
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((2, neurons, width))
    order = rng.permutation(neurons)
    b = a[:, order] + noise * rng.standard_normal(a.shape)
    return a, b, order


@pytest.mark.parametrize("noise", [0.0, 1.0, 2.0])
def test_a_permutation_is_found(noise) -> None:
    """Of bf16 weights with noise: every neuron, and the estimated share says so."""
    a, b, order = planted(noise, 0)
    stored = [torch.from_numpy(x).to(torch.bfloat16).double().numpy() for x in (a, b)]
    rule = found(*stored)
    assert (rule.of_a == order).mean() > 0.99
    assert rule.permuted
    assert rule.share > 0.99
    assert rule.cosine == pytest.approx((1 + noise**2) ** -0.5, abs=0.03)
    assert rule.moved > 0.9


def test_noise_of_three_sigma_leaves_most_neurons_of_a_wide_network() -> None:
    """128 neurons of 2 x 192 elements."""
    a, b, order = planted(3.0, 1, width=192)
    rule = found(a, b)
    assert (rule.of_a == order).mean() > 0.99
    assert rule.permuted
    assert rule.share > 0.95


@pytest.mark.parametrize("noise", [2.0, 3.0, 4.0])
def test_the_share_estimates_that_of_the_true_permutation(noise) -> None:
    """It is not far from the truth, and smaller where little is left."""
    a, b, order = planted(noise, 2)
    rule = found(a, b)
    truth = (rule.of_a == order).mean()
    assert -0.35 < rule.share - truth < 0.05


def test_neurons_in_place_are_matched_and_not_permuted() -> None:
    """The identity is no permutation."""
    a = np.random.default_rng(3).standard_normal((2, 96, 24))
    rule = found(a, a)
    assert rule.matched
    assert rule.moved == 0
    assert not rule.permuted


def test_unrelated_neurons_have_the_cosine_of_the_null(monkeypatch) -> None:
    """In 120 seeded draws no rule, with one draw of the null each; the mean ratio is 1."""
    monkeypatch.setattr(matching_null, "ENOUGH", 1)
    ratios, shares = [], []
    for seed in range(120):
        a, b = np.random.default_rng(seed).standard_normal((2, 1, 64, 16))
        rule = found(a, b)
        assert not rule.matched
        ratios.append(rule.cosine / rule.null)
        shares.append(rule.share)
    assert np.mean(ratios) == pytest.approx(1, abs=0.02)
    assert np.median(shares) < 0.06


def test_the_assignment_is_that_of_scipy() -> None:
    """Of as many neurons, of more in A, and of more in B, where some have no partner."""
    rng = np.random.default_rng(4)
    for shape in ((30, 30), (40, 30), (30, 40)):
        cosines = rng.standard_normal(shape) / 10
        rule = assignment(cosines)
        rows, columns = linear_sum_assignment(cosines, maximize=True)
        expected = np.full(shape[1], -1)
        expected[columns] = rows
        np.testing.assert_array_equal(rule.of_a, expected)
        assert rule.cosine == pytest.approx(cosines[rows, columns].mean())


def test_neurons_of_zeros_have_no_partner() -> None:
    """Neither in A nor in B."""
    a, b, _ = planted(0.5, 5)
    a[:, 7] = 0
    b[:, 9] = 0
    rule = found(a, b)
    assert rule.of_a[9] == -1
    assert 7 not in rule.of_a
    assert assignment(np.zeros((4, 4))) is None


def test_too_many_neurons_have_no_assignment(monkeypatch) -> None:
    """Nor have none."""
    module = import_module("weightscope.statistics.lineage.assignment")  # as its function is named
    monkeypatch.setattr(module, "MOST", 10)
    assert too_many(11, 4)
    assert assignment(np.ones((11, 4))) is None
    assert assignment(np.ones((0, 4))) is None
    assert assignment(np.ones((10, 4))) is not None


def test_few_neurons_prove_nothing() -> None:
    """Below 64 the null of one pair varies too much."""
    a, b, _ = planted(0.0, 6, neurons=63)
    assert not found(a, b).matched


def test_a_rule_needs_both_limits() -> None:
    """A cosine of 0.15, and 1.2 times the null."""
    rule = found(*planted(0.0, 7)[:2])
    assert replace(rule, cosine=0.15, null=0.125).matched
    assert not replace(rule, cosine=0.149, null=0.01).matched
    assert not replace(rule, cosine=0.5, null=0.42).matched
