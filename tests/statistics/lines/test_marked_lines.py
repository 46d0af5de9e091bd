"""Planted lines are marked from their margins and hashes alone."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.sketches import Duplicates
from weightscope.statistics.lines.marked_lines import (
    constant,
    content,
    dead,
    duplicate_sets,
    duplicated,
    max_rms_ratio,
    one_sign,
    outlying,
    rms,
    row_z,
)

RNG = np.random.default_rng(0)


def margin(w: np.ndarray) -> dict[str, np.ndarray]:
    """Margins with extremes of the rows of w."""
    ok = np.isfinite(w)
    v = np.where(ok, w, 0)
    with np.errstate(over="ignore"):
        squares = (v**2).sum(1)
    return {
        "sum": v.sum(1),
        "squares": squares,
        "min": np.where(ok, w, np.inf).min(1),
        "max": np.where(ok, w, -np.inf).max(1),
        "nonfinite": (~ok).sum(1) * 1.0,
    }


@pytest.fixture
def planted() -> np.ndarray:
    """100 x 64 Gaussians with a row of each mark."""
    w = RNG.normal(size=(100, 64))
    w[3], w[5], w[8], w[9], w[20, 7], w[30], w[40] = (
        0,
        1,
        abs(w[8]),
        -abs(w[9]),
        np.nan,
        5 * w[30],
        w[40] / 5,
    )
    return w


def test_each_mark(planted) -> None:
    """Exactly the planted rows."""
    found = margin(planted)
    assert np.flatnonzero(dead(found)).tolist() == [3]
    assert np.flatnonzero(constant(found)).tolist() == [5]
    assert np.flatnonzero(one_sign(found, 64)).tolist() == [5, 8, 9]
    assert not one_sign(found, 15).any()
    assert np.flatnonzero(outlying(found, 64)).tolist() == [30, 40]


@pytest.mark.parametrize("value", [2.5, np.nan, -np.inf])
def test_one_other_element_removes_a_mark(planted, value) -> None:
    """Dead, constant and one-sign rows with one other element, finite or not, have no mark."""
    planted[[3, 5, 9], 11] = value
    found = margin(planted)
    assert not dead(found).any()
    assert not constant(found).any()
    assert np.flatnonzero(one_sign(found, 64)).tolist() == ([5, 8] if value == 2.5 else [8])


def test_ordinary_rows_have_no_mark() -> None:
    """Gaussian rows, short and long; equal rows have no outliers."""
    for shape in ((2000, 16), (50, 3000)):
        assert not outlying(margin(RNG.normal(size=shape)), shape[1]).any()
    assert not outlying(margin(np.ones((9, 20))), 20).any()
    assert not outlying(margin(np.zeros((9, 20))), 20).any()


def test_an_outlier_row_differs_by_a_factor_of_one_and_a_half() -> None:
    """Where all rows are nearly equal, MADs are tiny."""
    w = np.ones((50, 20)) * (1 + 1e-6 * RNG.normal(size=(50, 1)))
    w[7] *= 1.4
    assert not outlying(margin(w), 20).any()
    w[7] *= 1.2
    assert np.flatnonzero(outlying(margin(w), 20)).tolist() == [7]


def test_duplicates_are_all_of_them_but_dead_and_constant_ones() -> None:
    """Three identical rows are three; skipped rows are no duplicates."""
    hashes, skipped = np.array([5, 6, 5, 7, 5, 0, 0], np.uint64), np.array([False] * 5 + [True] * 2)
    assert not duplicated(np.array([1, 2, 1], np.uint64), np.array([True, False, False])).any()
    assert np.flatnonzero(duplicated(hashes, skipped)).tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([-4, -4, -4, 4], [-4, 4, 4, 4]),  # but for the sum they agree in everything
        ([-4, -4, -2, -2], [-4, -3, -3, -2]),  # for the squares
        ([-4, -1, -1, 0], [-3, -3, 0, 0]),  # for the least
        ([-4, -4, -1, -1], [-4, -3, -3, 0]),  # for the greatest
    ],
    ids=["sum", "squares", "min", "max"],
)
def test_content_differs_where_one_margin_does(one, other) -> None:
    """Each of the four fields is needed; equal lines have equal content."""
    of = lambda row: content(margin(np.array([row, row[::-1]], float)))
    assert of(one).shape == (2, 4)
    assert not np.array_equal(of(one), of(other))
    assert np.array_equal(of(one), of(one[::-1]))


def test_identical_rows_are_grouped_into_sets(taken) -> None:
    """Sets of three and two, by their first rows.

    Dead, constant, NaN and nearly equal rows are in none.
    """
    w = RNG.normal(size=(40, 30))
    w[[11, 30]], w[[9, 31]], w[[4, 5]], w[[6, 7]], w[33] = w[2], w[20], 0, 1, w[34]
    w[[12, 13]], w[33, 7] = np.nan, np.nextafter(w[33, 7], 9)
    found = duplicate_sets(taken(Duplicates(), w), margin(w))
    assert [rows.tolist() for rows in found] == [[2, 11, 30], [9, 20, 31]]
    assert duplicate_sets(taken(Duplicates(), w[:9]), margin(w[:9])) == ()


def test_distances_of_norms_equal_numpy(planted) -> None:
    """RMS, distance of its log in 1.4826 MAD, largest ratio; NaN for zero and non-finite lines."""
    planted[50] *= 1e200
    found, (sizes, z) = margin(planted), row_z(margin(planted), 64)
    seen = np.setdiff1d(np.arange(100), [3, 20, 50])
    expected = np.sqrt((planted[seen] ** 2).mean(1))
    logs = np.log(expected)
    away = logs - np.median(logs)
    assert np.isnan(sizes).nonzero()[0].tolist() == np.isnan(z).nonzero()[0].tolist() == [3, 20, 50]
    assert np.allclose(sizes[seen], expected, rtol=1e-12)
    assert np.array_equal(sizes, rms(found, 64), equal_nan=True)
    assert np.allclose(z[seen], away / (1.4826 * np.median(abs(away))), rtol=1e-9)
    assert max_rms_ratio(found, 64) == pytest.approx(expected.max() / np.median(expected))


def test_lines_that_are_all_alike_have_no_distance() -> None:
    """A MAD of 0 is no unit; without lines there is no largest RMS."""
    assert np.isnan(row_z(margin(np.ones((9, 20))), 20)[1]).all()
    assert max_rms_ratio(margin(np.ones((9, 20))), 20) == 1
    assert np.isnan(row_z(margin(np.zeros((9, 20))), 20)).all()
    assert max_rms_ratio(margin(np.zeros((9, 20))), 20) is None
