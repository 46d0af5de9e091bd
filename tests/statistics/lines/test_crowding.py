"""Gini coefficients against their definition and against simulated random counts."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.sketches import Beyond
from weightscope.statistics.lines.crowding import CROWDING, gini, gini_null
from weightscope.statistics.lines.crowding_law import gini_law
from weightscope.statistics.statistic import Evidence, evaluate

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "counts", [RNG.poisson(0.3, 200), RNG.poisson(20, 50), np.array([0, 0, 7]), np.array([3])]
)
def test_half_the_relative_mean_absolute_difference(counts) -> None:
    """sum |c_i - c_j| / (2 n^2 mean)."""
    expected = np.abs(counts[:, None] - counts).sum() / (2 * len(counts) ** 2 * counts.mean())
    assert gini(counts) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("mean", "expected"), [(0.1, 0.91), (0.5, 0.67), (1.0, 0.52), (10.0, 0.18)]
)
def test_the_null_is_what_poisson_counts_have(mean, expected) -> None:
    """The closed form and a simulation."""
    assert gini_null(mean) == pytest.approx(expected, abs=0.005)
    assert gini(RNG.poisson(mean, 100_000)) == pytest.approx(gini_null(mean), abs=0.005)


def test_no_outlier_no_coefficient() -> None:
    """Null without any count."""
    assert gini(np.zeros(5, int)) is None
    assert gini_null(0.0) is None


@pytest.mark.parametrize("shape", [(1, 4096), (4096, 1)])
def test_vectors_have_no_lines_to_compare(taken, shape) -> None:
    """Neither rows nor columns, although a vector has outliers."""
    w = RNG.standard_t(3, size=shape)
    values = evaluate([CROWDING], Evidence({Beyond(): taken(Beyond(), w)}, shape, "F64"))
    names = [column.name for column in CROWDING.columns]
    assert {name: values[name] for name in names} == dict.fromkeys(names)


@pytest.mark.parametrize("outliers", [40, 400, 1600])
def test_outliers_at_random_have_this_law(outliers) -> None:
    """Mean and standard deviation over 500 draws of places among 40 x 60."""
    marks = np.zeros((500, 2400), bool)
    marks[:, :outliers] = True
    counts = RNG.permuted(marks, axis=1).reshape(500, 40, 60).sum(2)
    found = [gini(of_rows) for of_rows in counts]
    mean, deviation = gini_law(40, 60, outliers)
    assert np.mean(found) == pytest.approx(mean, abs=0.15 * deviation)
    assert np.std(found) == pytest.approx(deviation, rel=0.1)


@pytest.mark.parametrize(("lines", "length", "outliers"), [(1, 100, 50), (100, 9, 15), (5, 5, 25)])
def test_few_or_all_outliers_have_no_law(lines, length, outliers) -> None:
    """Single lines, fewer than 1.5 expected pairs in a line, nothing but outliers."""
    assert gini_law(lines, length, outliers) is None
