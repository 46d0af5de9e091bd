"""Weights spread evenly over cells, against many points of each cell."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.statistics.elements.even_cells import quantiles, quantiles_of_size, share_below

LOW = np.array([-2.0, -0.5, -0.2, 0.3, 1.0])
HIGH = np.array([-1.0, 0.4, 0.2, 0.9, 3.0])
SHARE = np.array([0.1, 0.3, 0.2, 0.25, 0.15])
EACH = 20_001
INSIDE = (np.arange(EACH) + 0.5) / EACH
POINTS = (LOW[:, None] + (HIGH - LOW)[:, None] * INSIDE).ravel()
WEIGHTS = np.repeat(SHARE / EACH, EACH)
Q = (0.02, 0.25, 0.5, 0.7, 0.99)


def _of_points(points, q):
    order = np.argsort(points)
    return points[order][np.searchsorted(np.cumsum(WEIGHTS[order]), q)]


def test_shares_are_those_of_points_in_the_cells():
    """Also where cells overlap, and outside of all."""
    x = np.array([-3.0, -1.5, -0.1, 0.0, 0.35, 2.0, 4.0])
    counted = [WEIGHTS[at > POINTS].sum() for at in x]
    assert share_below(LOW, HIGH, SHARE, x) == pytest.approx(counted, abs=1e-4)


def test_quantiles_are_those_of_points_in_the_cells():
    """Of the values and of their sizes."""
    assert quantiles(LOW, HIGH, SHARE, Q) == pytest.approx(_of_points(POINTS, Q), abs=1e-3)
    sizes = quantiles_of_size(LOW, HIGH, SHARE, np.array(Q))
    assert sizes == pytest.approx(_of_points(np.abs(POINTS), Q), abs=1e-3)


def test_narrow_cells_are_points_with_a_jump():
    """Ramps of 1e-15 would lose all digits."""
    low = np.append(LOW, 0.95)
    high = np.append(HIGH, 0.95 + 1e-15)
    share = np.append(SHARE, 0.5)
    x = np.array([0.94, 0.96])
    plain = share_below(LOW, HIGH, SHARE, x)
    assert share_below(low, high, share, x) == pytest.approx(plain + np.array([0, 0.5]), abs=1e-12)
    sizes = quantiles_of_size(low, high, share, np.array([0.7]))
    assert sizes == pytest.approx([0.95], abs=1e-12)
