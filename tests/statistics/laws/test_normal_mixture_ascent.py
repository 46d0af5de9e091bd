"""Ascents to the maxima of a mixture's likelihood: their slopes, and many at once."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from weightscope.statistics.laws.normal_mixture_ascent import (
    AT_ONCE,
    LONGEST,
    _likelihoods,
    _newton_steps,
    ends_of,
)

RNG = np.random.default_rng(31)
Z = np.concatenate([RNG.normal(0.1, 0.4, 300), RNG.normal(0.1, 2.0, 100)])
P = RNG.dirichlet(np.ones(len(Z)))
STARTS = np.array([[0.0, 2.2, -0.2, 1.4], [0.3, 0.0, -1.0, 0.4], [-1.0, 4.0, -3.0, 2.0]])
LOW = np.array([-9.0, -12.0, -13.8, -13.8])
HIGH = -LOW


def _value(x):
    """Mean log-likelihood by scipy, without ln(2 pi)/2."""
    w = expit(x[1])
    first = w * norm.pdf(Z, x[0], np.exp(x[2] / 2))
    second = (1 - w) * norm.pdf(Z, x[0], np.exp(x[3] / 2))
    return P @ np.log(first + second) + np.log(2 * np.pi) / 2


def test_values_are_those_of_scipy():
    """Each row has the likelihood of its own parameters."""
    value, _, _ = _likelihoods(STARTS, Z, P)
    assert value == pytest.approx([_value(x) for x in STARTS], rel=1e-12)


@pytest.mark.parametrize("axis", range(4))
def test_slopes_are_differences(axis):
    """The gradient is the difference of values, and the Hessian that of gradients."""
    step = np.zeros(4)
    step[axis] = 1e-5
    _, gradient, hessian = _likelihoods(STARTS, Z, P)
    above, slope_above, _ = _likelihoods(STARTS + step, Z, P)
    below, slope_below, _ = _likelihoods(STARTS - step, Z, P)
    assert gradient[:, axis] == pytest.approx((above - below) / 2e-5, abs=1e-8)
    assert hessian[:, axis] == pytest.approx((slope_above - slope_below) / 2e-5, abs=1e-8)


@pytest.mark.parametrize("copies", [1, 1 + AT_ONCE // len(Z)])
def test_ascents_together_end_where_each_alone_ends(copies):
    """Also where they are more than one call of arrays holds."""
    alone = [ends_of(Z, P, start[None], LOW, HIGH)[0] for start in STARTS]
    together = ends_of(Z, P, np.repeat(STARTS, copies, axis=0), LOW, HIGH)
    assert len(together) == copies * len(alone)
    for i, end in enumerate(together):
        wanted = alone[i // copies]
        assert end.converged
        assert wanted.converged
        assert end.value == pytest.approx(wanted.value, abs=1e-12)
        assert end.x == pytest.approx(wanted.x, abs=1e-5)


def test_an_end_is_flat_or_at_a_bound():
    """No direction leads up from it but out of the bounds."""
    high = np.array([9.0, 12.0, -0.5, 0.5])  # the wide part is narrower than the sample's
    for end in ends_of(Z, P, STARTS, LOW, high):
        _, (gradient,), _ = _likelihoods(end.x[None], Z, P)
        outward = (end.x >= high) & (gradient > 0)
        assert end.converged
        assert gradient[~outward] == pytest.approx(0.0, abs=1e-4)
        assert outward.any()


def test_a_step_that_loses_likelihood_is_halved():
    """With the full steps the ascent from here ends at a lower maximum."""
    far = np.array([[-0.2, 0.4, -2.5, 0.8]])
    (end,) = ends_of(Z, P, far, LOW, HIGH)
    best = max(other.value for other in ends_of(Z, P, STARTS, LOW, HIGH))
    assert end.value == pytest.approx(best, abs=1e-9)


def test_no_step_is_longer_than_the_longest():
    """A slope along a flat direction promises a step of any length."""
    gradient = np.array([[1.0, 0.0, 0.0, 0.0], [0.01, 0.0, 0.0, 0.0]])
    hessian = np.stack([-1e-3 * np.eye(4), -np.eye(4)])
    step, promised = _newton_steps(np.zeros((2, 4)), gradient, hessian, LOW, HIGH)
    assert step[:, 0].tolist() == [LONGEST, 0.01]
    assert promised.tolist() == [LONGEST, pytest.approx(1e-4)]
