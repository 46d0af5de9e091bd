"""Independence of two assignments: scipy's p, its rate for independent models, odd input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linear_sum_assignment

from weightscope.statistics.lineage.independence import combined_p, independence


def assigned(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The row of A for each row of B, by their cosines."""
    x = a / np.linalg.norm(a, axis=1, keepdims=True)
    y = b / np.linalg.norm(b, axis=1, keepdims=True)
    places: np.ndarray = linear_sum_assignment(y @ x.T, maximize=True)[1]
    return places


def network(seed: int, kind: str = "plain") -> list[np.ndarray]:
    """Gate and up rows (64, 24) of one model, with some odd neurons."""
    rng = np.random.default_rng(seed)
    matrices = [rng.standard_normal((64, 24)) for _ in range(2)]
    chosen = rng.choice(64, 6, replace=False)
    for matrix in matrices:
        if kind == "large":
            matrix[chosen] *= 20
        if kind == "dead":
            matrix[chosen] *= 1e-4
    return matrices


def of_models(one, other):
    """The independence of two models."""
    return independence(assigned(one[0], other[0]), assigned(one[1], other[1]))


def test_it_equals_scipy() -> None:
    """The correlation and its p, with ties and without, of both signs."""
    rng = np.random.default_rng(0)
    for one, other in (
        (rng.permutation(50), rng.permutation(50)),
        (rng.integers(0, 9, 40), rng.integers(0, 9, 40)),
        (np.arange(30), np.arange(30)[::-1]),
    ):
        found = independence(one, other)
        expected = stats.spearmanr(one, other, alternative="greater")
        assert found.correlation == pytest.approx(expected.statistic)
        assert found.p == pytest.approx(expected.pvalue, abs=1e-12)
        assert found.neurons == len(one)


@pytest.mark.parametrize("kind", ["plain", "large", "dead"])
def test_independent_models_have_even_p(kind) -> None:
    """Of 75 seeded pairs about 5% are below 0.05 and 1% below 0.01."""
    values = [of_models(network(i, kind), network(1000 + i, kind)).p for i in range(75)]
    assert 0.01 <= np.mean(np.array(values) < 0.05) <= 0.1
    assert np.mean(np.array(values) < 0.01) <= 0.03
    assert np.mean(values) == pytest.approx(0.5, abs=0.08)


def test_a_permuted_and_trained_model_is_not_independent() -> None:
    """Neurons in another order with noise of 1 sigma: p is 0 to float64 or nearly."""
    rng = np.random.default_rng(1)
    a = network(1)
    order = rng.permutation(64)
    b = [x[order] + rng.standard_normal(x.shape) for x in a]
    assert of_models(a, b).p < 1e-10


def test_neurons_without_a_partner_are_left_out() -> None:
    """-1 in either assignment."""
    one, other = np.arange(20), np.arange(20)
    other[3] = -1
    one[5] = -1
    assert independence(one, other).neurons == 18


def test_odd_assignments_have_no_p() -> None:
    """Constant, short, unequal and not finite ones, without a warning."""
    places = np.arange(20)
    assert independence(places, np.zeros(20, int)) is None
    assert independence(places[:7], places[:7]) is None
    assert independence(places, places[:19]) is None
    assert independence(places, np.full(20, np.nan)) is None
    assert independence(places, np.full(20, -1)) is None


def test_layers_combine_as_scipy_does() -> None:
    """By Fisher's method, None left out; a p of 0 is finite."""
    values = [0.3, 0.02, 0.8, 0.5]
    assert combined_p([*values, None]) == pytest.approx(stats.combine_pvalues(values).pvalue)
    assert combined_p([None]) is None
    assert combined_p([]) is None
    assert 0 <= combined_p([0.0, 0.5]) < 1e-290
    assert combined_p([0.4]) == pytest.approx(0.4)
