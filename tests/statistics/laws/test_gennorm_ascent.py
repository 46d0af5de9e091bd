"""Newton's ascent: its derivatives, and the same maximum as the bounded searches."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest

from weightscope.statistics.laws import gennorm
from weightscope.statistics.laws.cells import prepare
from weightscope.statistics.laws.gennorm_ascent import ascend, ascend_beta, powers, start
from weightscope.statistics.laws.gennorm_cusp import likelihood_at

PLACE = 0.02


@pytest.fixture
def cells_of(counts_of):
    """Cells of so many elements of a generalised normal."""

    def make(beta, number):
        random = np.random.default_rng(int(10 * beta))
        size = random.gamma(1 / beta, size=number) ** (1 / beta)
        return prepare(counts_of(size * random.choice((-1, 1), number)))

    return make


@pytest.mark.parametrize("beta", [0.8, 1.6, 3.0])
def test_slope_and_curvature_are_those_of_the_likelihood(beta, cells_of):
    """Central differences of the mean log-likelihood in ln beta."""
    cells = cells_of(2.0, 3000)

    def likelihood(log_beta):
        return likelihood_at(cells, log_beta, PLACE)

    at, middle, h = powers(cells, beta, PLACE), log(beta), 1e-4
    before, here, after = (likelihood(middle + step) for step in (-h, 0, h))
    assert at.slope == pytest.approx((after - before) / (2 * h), abs=1e-7)
    assert at.curvature == pytest.approx((after - 2 * here + before) / h**2, rel=1e-4)


@pytest.mark.parametrize("beta", [1.4, 2.0, 5.0])
def test_the_maximum_is_that_of_the_search(beta, cells_of):
    """Bounded searches find the same ln beta and mu, to their tolerance."""
    cells = cells_of(beta, 20_000)
    log_beta, mu = ascend(cells, start(cells), cells.median)
    searched = gennorm._searched(cells)
    assert log_beta == pytest.approx(searched[0], abs=2e-5)
    assert mu == pytest.approx(searched[1], abs=2e-5)


def test_the_way_out_of_the_range_has_no_end(cells_of):
    """mu is not smooth at beta 0.8; uniform points lead beyond beta 7.5."""
    sharp = cells_of(0.8, 20_000)
    assert ascend(sharp, start(sharp), sharp.median) is None
    assert exp(ascend_beta(sharp, start(sharp), sharp.median)) == pytest.approx(0.8, rel=0.05)
    flat = np.linspace(-1.7, 1.7, 1000)
    uniform = replace(sharp, z=flat, p=np.full(1000, 1e-3), median=0.0)
    assert ascend(uniform, log(3), 0.0) is None
    assert ascend_beta(uniform, log(3), 0.0) is None
