"""The law of spreads against elements in random order, and at its limits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from weightscope.statistics.lines.nulls import spread_null
from weightscope.statistics.lines.spread_law import NARROW, _group, chi, spread_law, squares


@pytest.mark.parametrize("shape", [(40, 25), (25, 40)])
def test_elements_in_random_order_have_this_spread(counts_of, shape):
    """Mean and standard deviation over 2,000 orders of heavy-tailed elements."""
    random = np.random.default_rng(1)
    w = random.standard_t(4, shape[0] * shape[1])
    law = spread_law(squares(counts_of(w), w.size), *shape)
    orders = random.permuted(np.tile(w**2, (2000, 1)), axis=1).reshape(2000, *shape)
    spreads = (0.5 * np.log(orders.sum(2))).std(1)
    assert law.mean == pytest.approx(spreads.mean(), rel=0.01)
    assert law.deviation == pytest.approx(spreads.std(), rel=0.1)


@pytest.mark.parametrize("sign", [(-1, 1), (1,), (-1,)])
def test_groups_are_those_of_arcsinh(sign):
    """The edges of groups put each magnitude where arcsinh does, zero included."""
    random = np.random.default_rng(2)
    size = np.append(abs(random.standard_t(2, 5000)), [0.0, 1e-30, 1e8])
    value = np.unique(np.concatenate([one * size for one in sign]))
    expected = np.floor(np.arcsinh(abs(value) / 0.3) / NARROW)
    assert _group(value, 0.3).tolist() == expected.tolist()


def test_gaussian_elements_have_the_closed_form(counts_of):
    """The quantiles of a Gaussian: trigamma times the mean of a chi law."""
    w = special.ndtri((np.arange(200_000) + 0.5) / 200_000)
    counts = counts_of(w)
    law = spread_law(squares(counts, counts.n), 64, 50)
    expected = spread_null(50) * np.sqrt(1 - 1 / 64) * chi(law.freedom)[0]
    assert law.mean == pytest.approx(expected, rel=1e-3)
    assert law.freedom == pytest.approx(63, rel=0.02)


def test_two_values_of_one_size_have_no_spread(counts_of):
    """Signs alone: spread 0, and no score for lack of a deviation."""
    law = spread_law(squares(counts_of([-2.0, 2.0] * 50), 100), 10, 10)
    assert (law.mean, law.deviation) == (pytest.approx(0, abs=1e-7), pytest.approx(0, abs=1e-7))


@pytest.mark.parametrize("freedom", [1, 5, 999, 1001, 1e7])
def test_chi(freedom):
    """The chi law of scipy over the root of its degrees of freedom, on both sides of the series."""
    law = stats.chi(freedom)
    assert chi(freedom)[0] == pytest.approx(law.mean() / np.sqrt(freedom), rel=1e-7)
    if freedom < 1e4:  # scipy loses the digits of the variance
        assert chi(freedom)[1] == pytest.approx(law.std() / np.sqrt(freedom), rel=1e-5)


@pytest.mark.parametrize(("lines", "length"), [(1, 100), (100, 1)])
def test_single_lines_have_no_law(counts_of, lines, length):
    """Nothing to compare."""
    assert spread_law(squares(counts_of(np.arange(100.0)), 100), lines, length) is None


def test_far_outliers_do_not_coarsen_the_rest(counts_of):
    """A weight of 1e6 std among noise: the law of the others is still resolved."""
    w = np.random.default_rng(2).standard_normal((100, 100))
    w[3, 4] = 1e6
    law = spread_law(squares(counts_of(w), w.size), 100, 100)
    spread = (0.5 * np.log((w**2).sum(1))).std()
    assert law.mean == pytest.approx(spread, rel=0.02)
