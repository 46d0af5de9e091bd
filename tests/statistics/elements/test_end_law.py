"""The score of the largest weight: noise of any tail, planted weights, both ends, lattices."""

from __future__ import annotations

import numpy as np
import pytest

from tests.truth.calibration_lines import LAWS
from weightscope.statistics.elements.end_law import End, chance_of_larger
from weightscope.statistics.elements.largest_z import max_z_score


def scores(draw, number, counts_of, planted=None):
    """The score of so many draws."""
    random = np.random.default_rng(11)
    found = []
    for _ in range(number):
        w = draw(random)
        if planted is not None:
            w[0] = planted * np.abs(w[1:]).max()
        found.append(max_z_score(counts_of(w)))
    return np.array(found)


@pytest.mark.parametrize("law", LAWS)
def test_noise_of_any_tail_is_standard(law, counts_of):
    """100 draws of 4,096 elements, wherever they lie and whatever their scale."""
    found = scores(lambda random: 3 + 0.01 * LAWS[law](random, 4096), 100, counts_of)
    assert abs(found.mean()) < 0.35
    assert 0.8 < found.std() < 1.2
    assert (np.abs(found) > 3).sum() <= 2


@pytest.mark.parametrize(("law", "least"), [("Gaussian", 3), ("Laplace", 1.5), ("uniform", 10)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_weight_scores_high(law, least, sign, counts_of):
    """One weight at three times the largest of the others, at either end."""
    found = scores(lambda random: LAWS[law](random, 4096), 9, counts_of, planted=3 * sign)
    assert np.median(found) > least


def test_outliers_do_not_hide_each_other(counts_of):
    """Four weights of one end at nearly the same place."""
    random = np.random.default_rng(3)
    w = random.standard_normal(65536)
    w[:4] = (20, 20.1, 20.2, 20.3)
    assert max_z_score(counts_of(w)) > 3


def test_bins_of_uniform_elements_are_enough(counts_of):
    """The maximum is exact where values are counted in bins."""
    w = np.random.default_rng(9).uniform(-1, 1, 300_000)
    assert abs(max_z_score(counts_of(w, bins=True))) < 3


def test_a_cut_tail_scores_low(counts_of):
    """Gaussian elements clipped at two standard deviations."""
    w = np.clip(np.random.default_rng(4).standard_normal(65536), -2, 2)
    assert max_z_score(counts_of(w)) < -3


def test_the_chance_is_that_of_an_exponential_tail():
    """Expected spacings 1/r of 20,000 exponential elements: 1 - (1 - e^-y)^5, y above the sixth."""
    ranks = np.arange(5.0, 20_006)
    x = np.cumsum(1 / ranks[1:][::-1])[::-1]
    for y in (0.5, 1.5, 3.0):
        end = End(x, x, np.ones(len(x)), ranks, 5, x[0] + y)
        want = -np.expm1(5 * np.log1p(-np.exp(-y)))
        assert chance_of_larger(end) == pytest.approx(want, rel=0.04)


def test_a_lattice_with_few_values_has_no_score(counts_of):
    """int4 and uniform steps have too few cells for a tail, int8 enough; half are zeros."""
    w = np.random.default_rng(5).standard_normal(65536)
    assert max_z_score(counts_of(np.round(w))) is None
    assert abs(max_z_score(counts_of(np.round(w * 25) / 25))) < 4
    flat = np.random.default_rng(6).integers(-40, 41, 65536) / 256
    assert max_z_score(counts_of(flat)) is None
    w[np.abs(w) < 1] = 0
    assert max_z_score(counts_of(w)) is None
    assert max_z_score(counts_of(np.arange(5.0))) is None
