"""Lines that were planted are found, by their margins and hashes alone."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.statistics.marked_lines import constant, dead, duplicated, one_sign, outlying, zero_block

RNG = np.random.default_rng(0)


def lines(w: np.ndarray) -> dict[str, np.ndarray]:
    """Margins with extremes of the rows of w."""
    ok = np.isfinite(w)
    v = np.where(ok, w, 0)
    return {
        "sum": v.sum(1), "squares": (v**2).sum(1), "min": np.where(ok, w, np.inf).min(1),
        "max": np.where(ok, w, -np.inf).max(1), "nonfinite": (~ok).sum(1) * 1.0,
    }


@pytest.fixture
def planted() -> np.ndarray:
    """100 x 64 Gaussians with a row of each sort."""
    w = RNG.normal(size=(100, 64))
    w[3], w[5], w[8], w[9], w[20, 7], w[30], w[40] = 0, 1, abs(w[8]), -abs(w[9]), np.nan, 5 * w[30], w[40] / 5
    return w


def test_each_sort_of_row(planted) -> None:
    """Exactly the planted ones."""
    found = lines(planted)
    assert np.flatnonzero(dead(found)).tolist() == [3]
    assert np.flatnonzero(constant(found)).tolist() == [5]
    assert np.flatnonzero(one_sign(found, 64)).tolist() == [8, 9]
    assert not one_sign(found, 15).any()
    assert np.flatnonzero(outlying(found, 64)).tolist() == [30, 40]


def test_ordinary_rows_are_none() -> None:
    """Gaussian rows of short and of long lines; equal rows have no outliers."""
    for shape in ((2000, 16), (50, 3000)):
        assert not outlying(lines(RNG.normal(size=shape)), shape[1]).any()
    assert not outlying(lines(np.ones((9, 20))), 20).any()
    assert not outlying(lines(np.zeros((9, 20))), 20).any()


def test_a_factor_of_one_and_a_half_is_asked_for() -> None:
    """Where all rows are nearly equal, MADs are tiny."""
    w = np.ones((50, 20)) * (1 + 1e-6 * RNG.normal(size=(50, 1)))
    w[7] *= 1.4
    assert not outlying(lines(w), 20).any()
    w[7] *= 1.2
    assert np.flatnonzero(outlying(lines(w), 20)).tolist() == [7]


def test_duplicates_are_all_of_them_but_dead_and_constant_ones() -> None:
    """Three of a kind are three; skipped rows are no twins of anything."""
    hashes, skipped = np.array([5, 6, 5, 7, 5, 0, 0], np.uint64), np.array([False] * 5 + [True] * 2)
    assert not duplicated(np.array([1, 2, 1], np.uint64), np.array([True, False, False])).any()
    assert np.flatnonzero(duplicated(hashes, skipped)).tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    ("rows", "cols", "found"),
    [([0, 0, 1], [0, 0], "1x0"), ([0, 1, 1], [0, 0, 1], "2x1"), ([1, 0, 0], [0], None), ([1, 1], [1, 1], None)],
)
def test_padding_stands_at_the_end(rows, cols, found) -> None:
    """Zero lines elsewhere, and a zero matrix, are no padding."""
    assert zero_block(np.array(rows, bool), np.array(cols, bool)) == found
