"""Samples without their means."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.statistics.lineage.centring import centred, magnitude


def test_rows_and_columns_have_no_means() -> None:
    """Both are zero; of one row the mean of all."""
    x = np.random.default_rng(0).standard_normal((5, 7)) + 3
    rest = centred(x)
    assert rest.mean(0) == pytest.approx(np.zeros(7), abs=1e-12)
    assert rest.mean(1) == pytest.approx(np.zeros(5), abs=1e-12)
    assert centred(np.array([[1.0, 2.0, 6.0]])).tolist() == [[-2.0, -1.0, 3.0]]
    assert centred(np.array([[1.0], [3.0]])).tolist() == [[-1.0], [1.0]]


def test_elements_that_are_not_finite_are_left_out() -> None:
    """They are zero and do not count in the means."""
    rest = centred(np.array([[1.0, np.nan, 3.0], [-np.inf, 5.0, 7.0]]))
    assert rest[0, 1] == rest[1, 0] == 0
    assert rest.sum(0) == pytest.approx([0, 0, 0], abs=1e-12)
    assert rest[:, 2] == pytest.approx([0, 0], abs=1e-12)


def test_rounding_of_means_is_no_rest() -> None:
    """0.1 has no exact mean; a change of the last bit of float32 is a rest."""
    x = np.full((9, 9), 0.1)
    assert not centred(x).any()
    x[0, 0] += 1e-8
    assert centred(x).any()


def test_no_square_leaves_float64() -> None:
    """In units of the largest element; zeros and NaN have the unit 1."""
    x = np.array([[1e200, -1e200], [1e200, 1e200]])
    assert magnitude(x) == 1e200
    assert np.isfinite(np.square(centred(x, magnitude(x))).sum())
    assert magnitude(np.array([[np.nan, np.inf]])) == 1
    assert magnitude(np.zeros((0, 3))) == 1
