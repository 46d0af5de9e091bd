"""Preparing cells: standard units, excess zeros, grouping and lattices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.notes import Note
from weightscope.statistics.elements.moments import BEYOND
from weightscope.statistics.laws.cells import Cells, prepare, weighted


def test_points_are_in_standard_units(counts_of):
    """Shares sum to 1, mean 0, std 1."""
    cells = prepare(counts_of(np.random.default_rng(0).normal(3, 2, 1000)))
    assert cells.p.sum() == pytest.approx(1)
    assert cells.p @ cells.z == pytest.approx(0, abs=1e-12)
    assert cells.p @ cells.z**2 == pytest.approx(1)
    assert (cells.centre, cells.scale) == pytest.approx((3, 2), abs=0.2)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "no finite non-zero weights"),
        ([np.nan, np.nan], "no finite non-zero weights"),
        ([np.inf], "no finite non-zero weights"),
        ([0.0] * 9, "no finite non-zero weights"),
        ([2.0] * 9, "1 distinct value: a fit needs three or more"),
        ([2.0, 3.0], "2 distinct values: a fit needs three or more"),
        ([0.0, 0.0, 1.0], "1 distinct value: a fit needs three or more"),
    ],
)
def test_cells_that_cannot_be_fitted_have_a_reason(values, reason, counts_of):
    """Empty, NaN only, all zeros, constants and two cells give the reason instead of cells."""
    assert prepare(counts_of(np.array(values))).text == reason


def test_bins_of_several_values_are_cells(counts_of):
    """Two bins of four values are not two values."""
    bins = counts_of([1, 1.001, 2, 2.001] * 50, bins=True)
    assert prepare(bins).text == "2 cells: a fit needs three or more"
    values = counts_of([1, 2] * 50)
    assert prepare(values).text == "2 distinct values: a fit needs three or more"


def test_spread_below_rounding_is_not_fitted(counts_of):
    """A std near the rounding of the mean is not fitted, and not called a constant."""
    reason = prepare(counts_of(1 + np.array([0, 1, 2]) * 2.0**-52))
    assert reason.text == "the spread is too small beside the mean for float64: no law is fitted"
    assert reason.code == "small-spread"


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_values_that_overflow_when_squared_are_not_fitted(counts_of, size):
    """Without a std there is no unit to fit in."""
    reason = prepare(counts_of(size * np.arange(9.0)))
    assert reason.text == BEYOND.text
    assert reason.text.startswith("values overflow or underflow when squared")


def test_grouping_keeps_mass_mean_and_spread(counts_of):
    """Thousands of values become fewer points with the same mean, and nearly the same spread."""
    x = np.random.default_rng(0).normal(size=40_000)
    cells = prepare(counts_of(x))
    assert len(cells.z) < 4000
    assert cells.p.sum() == pytest.approx(1)
    assert cells.p @ cells.z == pytest.approx(0, abs=1e-9)
    assert cells.p @ cells.z**2 == pytest.approx(1, abs=3e-6)
    assert (np.diff(cells.z) > 0).all()


def test_quartiles_are_those_of_the_weights(counts_of, stored_as):
    """Median and iqr equal numpy's on exact values, on a coarse lattice within 0.01 sigma."""
    x = np.random.default_rng(0).normal(size=50_001)
    q1, median, q3 = (np.quantile(x, [0.25, 0.5, 0.75]) - x.mean()) / x.std()
    exact, coarse = prepare(counts_of(x)), prepare(stored_as(x / 100, "F8_E4M3"))
    assert (exact.median, exact.iqr) == pytest.approx((median, q3 - q1), abs=1e-3)
    assert (coarse.median, coarse.iqr) == pytest.approx((median, q3 - q1), abs=0.01)


def test_excess_zeros_are_left_out(counts_of):
    """Over 1% exact zeros among fine cells are left out; fewer are fitted."""
    x = np.random.default_rng(0).normal(size=1000)
    many, few = counts_of(np.append(x, np.zeros(500))), counts_of(np.append(x, np.zeros(10)))
    assert (prepare(many).n, prepare(few).n) == (1000, 1010)


def test_only_coarse_types_are_lattices(stored_as):
    """bf16 fits as points, e4m3 with sub-points."""
    x = np.random.default_rng(0).normal(0, 0.02, 50_000)
    assert prepare(stored_as(x, "BF16")).parts is None
    assert prepare(stored_as(x, "F8_E4M3")).parts is not None


def test_weighting_preserves_the_share_of_each_cell(stored_as):
    """Weighting by a density moves mass inside a cell, never between cells."""
    cells = prepare(stored_as(np.random.default_rng(0).normal(0, 0.01, 50_000), "F8_E4M3"))
    spread = weighted(cells, lambda z: -z * z / 2)
    sums = np.add.reduceat(spread.p[cells.narrow :], cells.parts)
    assert sums == pytest.approx(cells.wide[3])
    assert spread.p.sum() == pytest.approx(1)
    assert spread.p @ spread.z**2 < cells.p @ cells.z**2  # towards the centre, where the density is


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(st.floats(-1e300, 1e300), st.sampled_from([0.0, 1.0, -1.0, 5e-324])), max_size=12
    )
)
def test_any_weights_give_cells_or_a_reason(counts_of, values):
    """Any handful of floats is prepared or refused, without a warning."""
    with np.errstate(
        over="ignore"
    ):  # the power sums of 1e300 overflow before the cells are prepared
        try:
            counts = counts_of(np.array(values))
        except OverflowError:
            return
        cells = prepare(counts)
    assert isinstance(cells, (Note, Cells))
    if isinstance(cells, Cells):
        assert np.isfinite(cells.z).all()
        assert cells.p.sum() == pytest.approx(1)
