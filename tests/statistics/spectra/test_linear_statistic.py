"""Shifts by far weights against simulation, and what is known of the elements of a matrix."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from weightscope.statistics.spectra.evenness_law import orthogonality_law
from weightscope.statistics.spectra.linear_statistic import Elements, elements_of, shift
from weightscope.statistics.spectra.null_distance import near_zero, near_zero_score


def _spectrum(m: int, n: int, shape: tuple[int, int] | None = None) -> SimpleNamespace:
    return SimpleNamespace(m=m, n=n, shape=shape or (m, n), low_rank=False)


@pytest.mark.parametrize("size", [4.0, 7.0, 12.0])
def test_scores_of_gaussian_noise_with_a_far_weight_are_standard(size, counts_of):
    """One of 48 x 48 weights at 4, 7 and 12 std: tau is 0.3, 1 and 2.8."""
    near, even = [], []
    for seed in range(60):
        w = np.random.default_rng(seed).standard_normal((48, 48))
        w[7, 9] = size
        elements = elements_of(_spectrum(48, 48), counts_of(w.ravel()))
        sigma = np.linalg.svd(w, compute_uv=False)
        mean, deviation = orthogonality_law(48, 48, elements)
        even.append((sigma.std() / sigma.mean() - mean) / deviation)
        near.append(near_zero_score(near_zero(sigma), 1.0, 48, elements))
    for scores in (near, even):
        assert np.mean(scores) == pytest.approx(0, abs=0.3)
        assert 0.8 < np.std(scores) < 1.2


def test_the_shift_of_a_polynomial_is_that_of_its_expectation():
    """Of the sum of x^2 at q = 1/4: q kurtosis; a far weight at tau < 1 changes nothing more."""
    of_squares = np.array([2 * (1.25**2 + 0.5), 4 * 1.25 * 0.5, 0.5])
    assert shift(of_squares, np.square, 0.25, Elements(2.0)) == pytest.approx(0.5)
    far = Elements(2.0, np.array([0.9]), np.ones(1))
    assert shift(of_squares, np.square, 0.25, far) == pytest.approx(0.5)
    # beyond the bulk it is exact too: the polynomial goes on
    beyond = Elements(2.0, np.array([3.0]), np.ones(1))
    assert shift(of_squares, np.square, 0.25, beyond) == pytest.approx(0.5)


def test_elements_outside_zero_lines(counts_of):
    """Kurtosis and far weights of 20 x 30 elements do not change with 10 rows of zeros."""
    w = np.random.default_rng(1).standard_normal((20, 30))
    w[0, 0] = 9.0
    w -= w.mean()
    alone = elements_of(_spectrum(20, 30), counts_of(w.ravel()))
    padded = np.vstack([w, np.zeros((10, 30))])
    beside = elements_of(_spectrum(20, 30, (30, 30)), counts_of(padded.ravel()))
    assert beside.kurtosis == pytest.approx(alone.kurtosis)
    assert alone.tau.max() == pytest.approx(9**2 / w.var() / np.sqrt(600), rel=0.01)
    np.testing.assert_allclose(np.sort(beside.tau), np.sort(alone.tau))


def test_few_singular_values_have_no_elements(counts_of):
    """Below 16, and of products of thin factors."""
    counts = counts_of(np.arange(1000.0))
    assert elements_of(_spectrum(15, 60), counts) is None
    thin = SimpleNamespace(m=20, n=50, shape=(20, 50), low_rank=True)
    assert elements_of(thin, counts) is None
