"""Nulls of several draws: median, percentiles, and a score that allows for few draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from weightscope.statistics.drawn import of_draws, score_among


def test_one_draw_is_the_null_alone():
    """No percentiles and no score of a single draw."""
    assert of_draws("beta", 1.0, [2.0]) == {"beta_null": 2.0}


def test_several_draws():
    """Median, 10% and 90% points, and the score; all but the median need every draw."""
    found = of_draws("beta", 1.0, [1.0, 2.0, 4.0])
    assert found["beta_null"] == 2.0
    assert (found["beta_null_low"], found["beta_null_high"]) == pytest.approx((1.2, 3.6))
    assert found["beta_score"] == score_among(1.0, [1.0, 2.0, 4.0])
    lacking = of_draws("beta", 1.0, [1.0, None, 4.0])
    assert lacking["beta_null"] == 2.5
    assert lacking["beta_score"] is None


@pytest.mark.parametrize("draws", [2, 5, 20])
def test_scores_are_standard_gaussian_for_any_number_of_draws(draws):
    """Beyond 2 as often as a Gaussian: the t distribution allows for few draws."""
    values = np.random.default_rng(3).standard_normal((1500, draws + 1))
    scores = [score_among(row[0], row[1:]) for row in values.tolist()]
    assert np.mean(np.abs(scores) > 2) == pytest.approx(2 * stats.norm.sf(2), abs=0.012)
    assert np.std(scores) == pytest.approx(1, abs=0.05)


def test_equal_draws_have_no_score():
    """A standard deviation of 0."""
    assert score_among(2.0, [1.0, 1.0]) is None
