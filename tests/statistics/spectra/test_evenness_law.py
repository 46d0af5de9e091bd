"""Scores of orthogonality and identity on noise: mean 0 and standard deviation 1."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.statistics.spectra.evenness import orthogonality_null
from weightscope.statistics.spectra.evenness_law import identity_deviation, orthogonality_law

LAWS = {
    "Gaussian": lambda random: random.standard_normal((200, 40, 60)),
    "Laplace": lambda random: random.laplace(size=(200, 40, 60)),
    "uniform": lambda random: random.uniform(-1, 1, (200, 40, 60)),
}


@pytest.mark.parametrize("law", LAWS)
def test_scores_of_noise_are_standard(law):
    """200 draws of 40 x 60, with the kurtosis of each."""
    w = LAWS[law](np.random.default_rng(6))
    sigma = np.sqrt(np.linalg.eigvalsh(w @ w.transpose(0, 2, 1)))
    energy = (w**2).sum((1, 2))
    kurtosis = (w**4).mean((1, 2)) / (w**2).mean((1, 2)) ** 2 - 3
    rows, columns = np.arange(60) % 40, np.arange(60)
    diagonal = (w[:, rows, columns] ** 2).sum(1)
    ratio = sigma.std(1) / sigma.mean(1)
    laws = [orthogonality_law(orthogonality_null(40 / 60), 40, 60, k) for k in kurtosis]
    means, deviations = np.array(laws).T
    of_diagonal = [identity_deviation(40, 60, k) for k in kurtosis]
    for scores in ((ratio - means) / deviations, (diagonal / energy - 1 / 40) / of_diagonal):
        assert abs(scores.mean()) < 0.3
        assert 0.8 < scores.std() < 1.2
        assert (abs(scores) > 3).sum() <= 4
