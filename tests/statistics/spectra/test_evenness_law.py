"""Scores of orthogonality and identity on noise: mean 0 and standard deviation 1."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.statistics.spectra.evenness_law import identity_deviation, orthogonality_law
from weightscope.statistics.spectra.linear_statistic import Elements

LAWS = {
    "Gaussian": lambda random: random.standard_normal((100, 40, 60)),
    "Laplace": lambda random: random.laplace(size=(100, 40, 60)),
    "uniform": lambda random: random.uniform(-1, 1, (100, 40, 60)),
}


@pytest.mark.parametrize("law", LAWS)
def test_scores_of_noise_are_standard(law):
    """100 draws of 40 x 60, with the kurtosis of each."""
    w = LAWS[law](np.random.default_rng(6))
    sigma = np.sqrt(np.linalg.eigvalsh(w @ w.transpose(0, 2, 1)))
    energy = (w**2).sum((1, 2))
    kurtosis = (w**4).mean((1, 2)) / (w**2).mean((1, 2)) ** 2 - 3
    rows, columns = np.arange(60) % 40, np.arange(60)
    diagonal = (w[:, rows, columns] ** 2).sum(1)
    ratio = sigma.std(1) / sigma.mean(1)
    laws = [orthogonality_law(40, 60, Elements(k)) for k in kurtosis]
    means, deviations = np.array(laws).T
    of_diagonal = [identity_deviation(40, 60, k) for k in kurtosis]
    for scores in ((ratio - means) / deviations, (diagonal / energy - 1 / 40) / of_diagonal):
        assert abs(scores.mean()) < 0.3
        assert 0.8 < scores.std() < 1.2
        assert (abs(scores) > 3).sum() <= 2


def test_the_law_of_gaussian_elements_by_simulation():
    """Means and deviations of 1,000 matrices of 16 x 16 to 5% of the deviation, and 16 x 100."""
    for m, n in ((16, 16), (16, 100)):
        w = np.random.default_rng(n).standard_normal((1000, m, n))
        sigma = np.linalg.svd(w, compute_uv=False)
        ratio = sigma.std(1) / sigma.mean(1)
        mean, deviation = orthogonality_law(m, n, Elements(0.0))
        assert ratio.mean() == pytest.approx(mean, abs=0.15 * deviation)
        assert ratio.std() == pytest.approx(deviation, rel=0.1)


def test_a_weight_of_most_of_the_energy_has_no_law():
    """A single weight at 40 mean squares of its 64 x 64 matrix has one, at 1e6 no more."""
    tau, size = np.array([40**2 / 64]), 64 * 64
    assert orthogonality_law(64, 64, Elements(40.0**4 / size, tau, np.ones(1))) is not None
    far = np.array([1e12 / 64])
    assert orthogonality_law(64, 64, Elements(1e24 / size, far, np.ones(1))) is None
