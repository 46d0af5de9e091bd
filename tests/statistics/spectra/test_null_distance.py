"""Statistics of the whole spectrum and their nulls, against random matrices."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.statistics.spectra.linear_statistic import Elements
from weightscope.statistics.spectra.null_distance import (
    near_zero,
    near_zero_null,
    near_zero_score,
    null_ks,
    tail_excess,
)

SHAPES = [(300, 300), (260, 300), (100, 700)]


def _noise(seed: int, m: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((m, n))


def _sigma(w: np.ndarray) -> np.ndarray:
    return np.linalg.svd(w, compute_uv=False)


@pytest.mark.parametrize(("m", "n"), SHAPES)
def test_noise_has_the_null_values(m, n):
    """Gaussian matrices of any shape have the law's near-zero share, edge and distribution."""
    sigma, q = _sigma(_noise(1, m, n)), min(m, n) / max(m, n)
    assert near_zero(sigma) == pytest.approx(near_zero_null(q), abs=0.006)
    assert tail_excess(sigma, m, n) == pytest.approx(1, abs=0.03)
    assert null_ks(sigma, m, n, 1.0) < 0.03


@pytest.mark.parametrize(
    ("q", "want"), [(1.0, 0.0636), (0.9, 0.0226), (0.8101, None), (0.81, 0.0), (1e-3, 0.0)]
)
def test_near_zero_null_begins_at_its_edge(q, want):
    """Exactly 0 up to q = 0.81, where (1 - sqrt q)^2 reaches 0.01, and positive beyond."""
    got = near_zero_null(q)
    assert got > 0 if want is None else got == pytest.approx(want, abs=5e-5 if want else 0)


def test_near_zero_null_by_simulation():
    """The share between q = 0.81 and the square is the law's too."""
    shares = [near_zero(_sigma(_noise(seed, 270, 300))) for seed in range(2)]
    assert np.mean(shares) == pytest.approx(near_zero_null(0.9), abs=0.003)


@pytest.mark.parametrize(("m", "n"), [(60, 60), (60, 66)])
def test_near_zero_score_is_standard_for_noise(m, n):
    """Over 400 Gaussian draws the mean is near 0 and the deviation near 1."""
    shares = [near_zero(_sigma(_noise(seed, m, n))) for seed in range(400)]
    scores = [near_zero_score(share, m / n, m, Elements(0.0)) for share in shares]
    assert np.mean(scores) == pytest.approx(0, abs=0.15)
    assert np.std(scores) == pytest.approx(1, abs=0.1)


def test_near_zero_score_is_null_where_none_is_expected():
    """Below half a value, and where the elements are not known."""
    assert near_zero_score(0.0, 0.84, 40, Elements(0.0)) is None
    assert near_zero_score(0.1, 1.0, 64, None) is None


def test_a_far_weight_moves_near_zero_by_one_value():
    """One at 60 std among 64 x 64: the kurtosis is 3,100, the score that of Gaussian elements."""
    tau = np.array([3600 / 64])
    far = Elements(3600.0**2 / 4096, tau, np.ones(1))
    plain = near_zero_score(4 / 64, 1.0, 64, Elements(0.0))
    assert near_zero_score(4 / 64, 1.0, 64, far) == pytest.approx(plain, abs=3)


def test_a_mean_is_no_part_of_the_variance():
    """With the variance about the mean an offset moves one value, not the whole bulk."""
    sigma = _sigma(_noise(3, 200, 300) + 1)
    assert null_ks(sigma, 200, 300, 1.0) < 0.03
    assert null_ks(sigma, 200, 300, 2.0) > 0.2
    assert tail_excess(sigma, 200, 300) > 4


@pytest.mark.parametrize("unit", [1e-180, 1e-6, 1e150])
def test_the_unit_of_the_weights_changes_nothing(unit):
    """All are shares and ratios."""
    sigma = _sigma(_noise(4, 60, 80))
    assert near_zero(sigma * unit) == near_zero(sigma)
    assert tail_excess(sigma * unit, 60, 80) == pytest.approx(tail_excess(sigma, 60, 80), rel=1e-12)
    if unit**2 > 0:
        assert null_ks(sigma * unit, 60, 80, unit**2) == pytest.approx(null_ks(sigma, 60, 80, 1.0))


@pytest.mark.parametrize("sigma", [np.zeros(0), np.zeros(5)])
def test_a_zero_matrix_has_nulls(sigma):
    """Null, not 0, with its zero lines and without."""
    n = len(sigma)
    assert (near_zero(sigma), tail_excess(sigma, n, n), null_ks(sigma, n, n, 0.0)) == (None,) * 3
