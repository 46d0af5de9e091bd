"""One large weight in noise: the law of the largest eigenvalue against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from tests.statistics.spectra.noise import largest
from weightscope.statistics.spectra.rank_one_law import (
    Edge,
    alone,
    beside,
    displacements,
    response,
)

DRAWS = 1000  # errors of a mean and a variance are a fifth of the bounds


@pytest.mark.parametrize(("m", "n"), [(64, 64), (30, 300)])
@pytest.mark.parametrize("tau", [0.05, 0.5, 0.9, 1.2, 2.0, 5.0])
def test_mean_and_variance_are_those_of_simulated_noise(m, n, tau):
    """Below the threshold tau = 1, at it and far beyond."""
    edge = Edge.of(m, n)
    square = tau * edge.size**0.5
    y = square * (edge.size - 1) / (edge.size - square)  # tau is relative to all elements
    values, energy = largest(m, n, DRAWS, np.random.default_rng(11), y)
    centre, scale = edge.law
    standard = (values * m * n / energy - centre) / scale
    law = beside(edge, tau)
    assert law.mean == pytest.approx(standard.mean(), abs=0.15 * law.variance**0.5)
    assert law.variance == pytest.approx(standard.var(), rel=0.2)


def test_without_a_large_weight_it_is_that_of_gaussian_elements():
    """tau -> 0."""
    edge = Edge.of(100, 200)
    assert beside(edge, 0.0) == alone(edge)
    assert beside(edge, 1e-9) == pytest.approx(alone(edge), abs=2e-3)


def test_small_weights_displace_like_kurtosis():
    """f tau^2 (1 + tau + ...), the derivative of the edge by the kurtosis."""
    edge = Edge.of(400, 900)
    found = displacements(edge, np.array([0.05, 0.1]))
    assert found == pytest.approx(edge.f * np.array([0.05**2 / 0.95, 0.1**2 / 0.9]), abs=2e-3)


def test_far_weights_displace_to_their_own_value():
    """(y + m)(y + n)/y, the eigenvalue of a rank-one matrix beside noise."""
    edge = Edge.of(500, 700)
    tau = 30.0
    square = tau * edge.size**0.5
    y = square * edge.size / (edge.size - square)
    centre, scale = edge.law
    value = (y + 500) * (y + 700) / y * edge.size / (edge.size + y)
    assert beside(edge, tau).mean == pytest.approx((value - centre) / scale, rel=0.01)


def test_the_law_has_no_jump():
    """Where formulas join, at tau = 1 and at the ends of the table, mean and variance go on."""
    edge = Edge.of(300, 300)
    tau = np.geomspace(0.01, 50, 1500)
    laws = np.array([beside(edge, float(t)) for t in tau])
    relative = np.abs(np.diff(laws, axis=0)) / (1 + np.abs(laws[:-1]))
    assert relative.max() < 0.03
    assert (np.diff(laws[:, 0]) > -0.02).all()


def test_an_outlier_takes_less_part_in_the_edge():
    """1 inside of the bulk, towards (m + n)/(tau (m + n + 2 sqrt(mn))) beyond."""
    edge = Edge.of(100, 100)
    assert (response(edge, 0.5), response(edge, 1.0)) == (1.0, 1.0)
    assert response(edge, 1.0000001) == pytest.approx(1)
    assert response(edge, 10.0) == pytest.approx((200 / 10 + 200 / 100) / 400)
