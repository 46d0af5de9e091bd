"""Readings fill exactly their columns, and say why a value is missing."""

from dataclasses import replace

import numpy as np
import pytest

from weightscope.errors import Unmeasured
from weightscope.sketches import Count
from weightscope.statistics.readings import CODING, LAWS, LINES, MOMENTS, SHAPE, core
from weightscope.statistics.statistic import Evidence, Statistic, chosen, evaluate, needed

ELEMENTWISE = (MOMENTS, LAWS, SHAPE, CODING)
ALL = (*ELEMENTWISE, LINES, core(0))
RNG = np.random.default_rng(0)
SAMPLES = {
    "gaussian": RNG.standard_normal(5000),
    "empty": [],
    "constant": [0.5] * 20,
    "zeros": [0.0] * 20,
    "two": [-1.0, 1.0] * 10,
    "nan": [np.nan] * 5,
    "inf": [np.inf, 1.0, 2.0, 3.0, 5.0],
}


@pytest.mark.parametrize("statistic", ELEMENTWISE, ids=lambda s: s.columns[0].name)
@pytest.mark.parametrize("sample", SAMPLES)
def test_exactly_its_columns(counts_of, statistic, sample):
    """No more and no less, whatever the tensor holds; types as declared."""
    counts = counts_of(SAMPLES[sample])
    values = evaluate([statistic], Evidence({Count(): counts}, (1, 20)))
    assert set(values) == {c.name for c in statistic.columns} | {"note"}
    kinds = {"str": str, "int": (int, np.integer), "float": float}
    for column in statistic.columns:
        value = values[column.name]
        assert value is None or isinstance(value, kinds[column.dtype])
        assert value is None or column.dtype != "float" or np.isfinite(value)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_null_has_its_reason(counts_of, sample):
    """Where a moment or a law is missing, the note says why."""
    values = evaluate([MOMENTS, LAWS], Evidence({Count(): counts_of(SAMPLES[sample])}, (1, 20)))
    missing = [name for name, value in values.items() if value is None and name != "note"]
    assert not missing or values["note"]


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ("empty", "no elements"),
        ("nan", "5 NaN: statistics of the finite values"),
        ("inf", "1 Inf: statistics of the finite values"),
        ("two", "2 distinct values: no law is fitted below three"),
        ("constant", "fewer than 1,000 weights: no pattern"),
    ],
)
def test_notes(counts_of, sample, said):
    """In words a reader understands."""
    assert said in evaluate([MOMENTS, LAWS], Evidence({Count(): counts_of(SAMPLES[sample])}, (1, 20)))["note"]


@pytest.mark.parametrize(
    ("values", "place", "shape", "said"),
    [
        ([np.nan, np.inf, np.nan], (3, 5), (8, 9), "2 NaN and 1 Inf, the first at row 3, column 5: statistics of"),
        ([np.nan], (0, 0), (8, 9), "1 NaN at row 0, column 0: statistics of"),
        ([-np.inf] * 2000, (1234, 0), (8000, 2), "2,000 Inf, the first at row 1234, column 0: statistics of"),
        ([np.inf] * 2, (0, 5), (1, 9), "2 Inf, the first at index 5: statistics of"),
        ([np.inf] * 2, (5, 0), (9, 1), "2 Inf, the first at index 5: statistics of"),
        ([np.inf], (0, 0), (1, 1), "1 Inf at index 0: statistics of"),
        ([np.nan], None, None, "1 NaN: statistics of"),
    ],
)
def test_the_first_nonfinite_value_has_its_place(counts_of, values, place, shape, said):
    """Row and column from 0, of a vector the index; none where tensors were pooled."""
    counts = replace(counts_of([*values, 1.0, 2.0, 3.0]), first_nonfinite=place)
    assert evaluate([MOMENTS], Evidence({Count(): counts}, shape))["note"] == f"{said} the finite values"


@pytest.mark.parametrize(
    ("odd", "said"),
    [(0, None), (1, "1 BOOL byte is neither 0 nor 1: counted as true"),
     (1200, "1,200 BOOL bytes are neither 0 nor 1: counted as true")],
)  # fmt: skip
def test_boolean_bytes_beside_0_and_1_are_said(counts_of, odd, said):
    """They are measured as true, one tensor or many."""
    counts = replace(counts_of([0.0, 1.0, 1.0]), noncanonical=odd)
    assert evaluate([MOMENTS], Evidence({Count(): counts}, None, "BOOL"))["note"] == said


def test_wide_bins_have_no_quantiles(counts_of):
    """A float32 tensor far from zero: moments are exact, quantiles would be invented."""
    far = counts_of(1000 + 1e-3 * RNG.standard_normal(70_000), bins=True)
    values = evaluate([MOMENTS], Evidence({Count(): far}, (1, 70_000)))
    assert values["std"] == pytest.approx(1e-3, rel=0.02)
    assert (values["robust_std"], values["l_kurtosis"]) == (None, None)
    assert values["note"] == "bins too wide beside the spread: no quantiles"


def test_zeros_that_leave_are_said(counts_of):
    """More than 1% of exact zeros leave the fits, and the note has the share."""
    half = np.concatenate((RNG.standard_normal(2000), np.zeros(2000)))
    assert (
        "50.0% exact zeros left out of the fits" in evaluate([LAWS], Evidence({Count(): counts_of(half)}, None))["note"]
    )


def test_columns_choose_statistics_and_these_measures():
    """Nobody pays for what is not asked; equal measures are taken once."""
    assert chosen(ALL, frozenset({"std"})) == (MOMENTS,)
    assert chosen(ALL, None) == ALL
    assert needed([MOMENTS, LAWS, SHAPE]) == {Count()}
    assert core(0).needs == core(0).needs != core(1).needs


def test_an_unmeasured_statistic_is_nulls_and_a_reason():
    """It does not end the run."""

    def fails(evidence):
        raise Unmeasured("no such luck")

    broken = Statistic(MOMENTS.columns, frozenset(), fails)
    values = evaluate([broken], Evidence({}, None))
    assert values["note"] == "no such luck"
    assert set(values.values()) == {None, "no such luck"}


def test_no_column_twice():
    """Statistics never fill the same column."""
    names = [c.name for s in ALL for c in s.columns]
    assert len(names) == len(set(names))
