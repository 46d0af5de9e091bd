"""Preparing cells: standard units, which zeros leave, grouping and lattices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.notes import Note
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
        ([2.0] * 9, "1 distinct value: no law is fitted below three"),
        ([2.0, 3.0], "2 distinct values: no law is fitted below three"),
        ([0.0, 0.0, 1.0], "1 distinct value: no law is fitted below three"),
    ],
)
def test_what_cannot_be_fitted_says_why(values, reason, counts_of):
    """Empty, NaN only, all zeros, constants and two cells give the reason instead of cells."""
    assert prepare(counts_of(np.array(values))).text == reason


def test_bins_of_several_values_are_cells(counts_of):
    """Two of them with four known values are no two values."""
    for values, reason in (([1, 1.001, 2, 2.001], "2 cells"), ([1, 2], "2 distinct values")):
        counts = replace(counts_of(values * 50, bins=True), few=np.array(values))
        assert prepare(counts).text == f"{reason}: no law is fitted below three"


def test_spread_beyond_float64_says_so(counts_of):
    """A spread that rounding swallows is not fitted."""
    assert prepare(counts_of(1 + np.array([0, 1, 2]) * 2.0**-52)).text == "spread beyond float64"


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_squares_beyond_float64_say_so(counts_of, size):
    """There is no unit to fit in."""
    assert prepare(counts_of(size * np.arange(9.0))).text == "squares leave float64: no std"


def test_grouping_keeps_mass_mean_and_spread(counts_of):
    """Thousands of exact values become fewer points with the same mean, and a spread off by less than 1e-6."""
    x = np.random.default_rng(0).normal(size=40_000)
    cells = prepare(counts_of(x))
    assert len(cells.z) < 4000
    assert cells.p.sum() == pytest.approx(1)
    assert cells.p @ cells.z == pytest.approx(0, abs=1e-9)
    assert cells.p @ cells.z**2 == pytest.approx(1, abs=3e-6)
    assert (np.diff(cells.z) > 0).all()


def test_quartiles_are_those_of_the_weights(counts_of, stored_as):
    """Median and iqr equal numpy's on exact values, and come through a coarse lattice within 0.01 sigma."""
    x = np.random.default_rng(0).normal(size=50_001)
    q1, median, q3 = (np.quantile(x, [0.25, 0.5, 0.75]) - x.mean()) / x.std()
    exact, coarse = prepare(counts_of(x)), prepare(stored_as(x / 100, "F8_E4M3"))
    assert (exact.median, exact.iqr) == pytest.approx((median, q3 - q1), abs=1e-3)
    assert (coarse.median, coarse.iqr) == pytest.approx((median, q3 - q1), abs=0.01)


def test_excess_zeros_leave(counts_of):
    """More than 1% exact zeros among fine cells leave; fewer stay."""
    x = np.random.default_rng(0).normal(size=1000)
    many, few = counts_of(np.append(x, np.zeros(500))), counts_of(np.append(x, np.zeros(10)))
    assert (prepare(many).n, prepare(few).n) == (1000, 1010)


def test_only_coarse_types_are_lattices(stored_as):
    """bf16 fits as points, e4m3 with sub-points."""
    x = np.random.default_rng(0).normal(0, 0.02, 50_000)
    assert prepare(stored_as(x, "BF16")).parts is None
    assert prepare(stored_as(x, "F8_E4M3")).parts is not None


def test_a_lattice_keeps_each_cells_share(stored_as):
    """Laying shares by a density moves mass inside a cell, never between cells."""
    cells = prepare(stored_as(np.random.default_rng(0).normal(0, 0.01, 50_000), "F8_E4M3"))
    laid = weighted(cells, lambda z: -z * z / 2)
    sums = np.add.reduceat(laid.p[cells.narrow :], cells.parts)
    assert sums == pytest.approx(cells.wide[3])
    assert laid.p.sum() == pytest.approx(1)
    assert laid.p @ laid.z**2 < cells.p @ cells.z**2  # towards the centre, where the density is


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
