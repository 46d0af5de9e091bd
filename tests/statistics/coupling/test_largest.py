"""The largest |rho| of independent vectors: closed forms, and draws."""

import numpy as np
import pytest
from scipy import integrate, stats

from weightscope.statistics.coupling import expected_largest, largest_point


@pytest.mark.parametrize(("length", "layers"), [(96, 1), (384, 6), (24, 100)])
def test_closed_forms(length, layers):
    """Equal lengths: the half-normal order statistics over sqrt(n)."""
    lengths = [length] * layers
    point = stats.norm.ppf((1 + 0.95 ** (1 / layers)) / 2) / length**0.5
    assert largest_point(lengths, 0.95) == pytest.approx(point, rel=1e-10)
    mean, _ = integrate.quad(lambda z: 1 - stats.halfnorm.cdf(z) ** layers, 0, 10)
    assert expected_largest(lengths) == pytest.approx(mean / length**0.5, rel=1e-5)


def test_a_share_close_to_one():
    """The tail of a large family keeps its digits."""
    assert largest_point([1], 1 - 1e-13) == pytest.approx(stats.norm.isf(5e-14), rel=1e-3)


def test_lengths_that_differ():
    """Solved instead of a closed form: the product of the distributions is the share."""
    x = largest_point([16, 64, 64], 0.9)
    product = stats.halfnorm.cdf(4 * x) * stats.halfnorm.cdf(8 * x) ** 2
    assert product == pytest.approx(0.9, rel=1e-9)
    draws = np.abs(np.random.default_rng(0).standard_normal((20_000, 3))) / [4, 8, 8]
    assert expected_largest([16, 64, 64]) == pytest.approx(draws.max(1).mean(), rel=0.02)


def test_numbers_of_gpt6():
    """Nulls of 6 layers, 96 residual dimensions, 384 hidden units, 22 pairs."""
    for length, null, point, family in ((384, 0.084, 0.134, 0.181), (96, 0.169, 0.269, 0.362)):
        assert expected_largest([length] * 6) == pytest.approx(null, abs=5e-4)
        assert largest_point([length] * 6, 0.95) == pytest.approx(point, abs=5e-4)
        assert largest_point([length] * 132, 0.95) == pytest.approx(family, abs=5e-4)
        assert largest_point([length] * 6, 0.95 ** (1 / 22)) == pytest.approx(family, abs=5e-4)
