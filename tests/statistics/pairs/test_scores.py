"""Scores of pairs: independent subspaces and positions have mean 0 and standard deviation 1."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.statistics.pairs.overlap import overlap_deviation
from weightscope.statistics.pairs.task_vectors import shared_score


def test_independent_subspaces_have_this_deviation():
    """800 pairs of 4-dimensional subspaces of 12 dimensions."""
    random = np.random.default_rng(3)
    u = np.linalg.qr(random.standard_normal((800, 12, 4)))[0]
    v = np.linalg.qr(random.standard_normal((800, 12, 4)))[0]
    overlaps = ((u.transpose(0, 2, 1) @ v) ** 2).sum((1, 2)) / 4
    assert overlaps.mean() == pytest.approx(4 / 12, abs=0.01)
    assert overlaps.std() == pytest.approx(overlap_deviation(4, 12), rel=0.1)


def test_independent_positions_have_standard_scores():
    """4,000 numbers of positions that 300 and 200 of 3,000 share."""
    shared = np.random.default_rng(4).hypergeometric(300, 2700, 200, 4000)
    scores = np.array([shared_score(int(number), 300, 200, 3000) for number in shared])
    assert abs(scores.mean()) < 0.06
    assert scores.std() == pytest.approx(1, abs=0.05)
    assert (abs(scores) > 3).mean() < 0.01


def test_few_expected_positions_have_no_score():
    """Below 5 in both by chance."""
    assert shared_score(4, 10, 10, 30) is None
    assert shared_score(4, 10, 15, 30) is not None
