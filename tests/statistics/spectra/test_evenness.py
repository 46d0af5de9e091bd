"""Nulls of orthogonality and identity against random matrices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from weightscope.statistics.spectra.evenness import identity_null, orthogonality_null


def _noise(seed: int, m: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((m, n))


@pytest.mark.parametrize(("m", "n"), [(300, 300), (260, 300), (100, 700)])
def test_noise_has_the_evenness_of_the_law(m, n):
    """Gaussian matrices of any shape."""
    sigma = np.linalg.svd(_noise(1, m, n), compute_uv=False)
    assert stats.variation(sigma) == pytest.approx(
        orthogonality_null(min(m, n) / max(m, n)), rel=0.01
    )


@pytest.mark.parametrize(("q", "want"), [(1.0, 0.6228), (0.25, 0.2606), (1e-4, 0.005)])
def test_orthogonality_null_anchors(q, want):
    """0.623 for a square, sqrt(q)/2 for long matrices, down to which no digits cancel."""
    assert orthogonality_null(q) == pytest.approx(want, rel=3e-4)
    assert orthogonality_null(1e-12) == pytest.approx(5e-7, rel=1e-3)


@pytest.mark.parametrize(("m", "n"), [(16, 16), (8, 32), (40, 10)])
def test_identity_null_by_simulation(m, n):
    """Noise has 1/min(m,n) of its energy on the diagonal that wraps around the short side."""
    i = np.arange(max(m, n))
    shares = [
        (w[i % m, i % n] ** 2).sum() / (w**2).sum() for w in (_noise(s, m, n) for s in range(400))
    ]
    assert identity_null(m, n) == pytest.approx(np.mean(shares), rel=0.05)
