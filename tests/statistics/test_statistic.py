"""Statistics fill exactly their columns, with a note where a value is null."""

import numpy as np
import pytest

from tests.noted import told
from weightscope.errors import Unmeasured
from weightscope.notes import Note
from weightscope.sketches import Count
from weightscope.statistics.elements import CODING, MOMENTS, SHAPE
from weightscope.statistics.laws import BEST_LAW
from weightscope.statistics.lines import LINES, core
from weightscope.statistics.statistic import Evidence, Statistic, chosen, evaluate, needed

ELEMENTWISE = (MOMENTS, BEST_LAW, SHAPE, CODING)
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
    assert set(values) == {c.name for c in statistic.columns} | {"notes"}
    types = {"str": str, "int": (int, np.integer), "float": float}
    for column in statistic.columns:
        value = values[column.name]
        assert value is None or isinstance(value, types[column.dtype])
        assert value is None or column.dtype != "float" or np.isfinite(value)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_null_has_its_reason(counts_of, sample):
    """Where a moment or a law is null, a note has the reason."""
    values = evaluate([MOMENTS, BEST_LAW], Evidence({Count(): counts_of(SAMPLES[sample])}, (1, 20)))
    missing = [name for name, value in values.items() if value is None and name != "notes"]
    assert not missing or values["notes"]


@pytest.mark.parametrize(
    ("sample", "text"),
    [
        ("empty", "no elements"),
        ("nan", "5 NaN: statistics of the finite values"),
        ("inf", "1 Inf: statistics of the finite values"),
        ("two", "2 distinct values: a fit needs three or more"),
        ("constant", "fewer than 1,000 weights: pattern is null"),
    ],
)
def test_notes(counts_of, sample, text):
    """In plain words."""
    assert text in told(
        evaluate([MOMENTS, BEST_LAW], Evidence({Count(): counts_of(SAMPLES[sample])}, (1, 20)))
    )


def test_columns_choose_statistics_and_these_measures():
    """Only requested columns are measured; equal measures are taken once."""
    assert chosen(ALL, frozenset({"std"})) == (MOMENTS,)
    assert chosen(ALL, None) == ALL
    assert needed([MOMENTS, BEST_LAW, SHAPE]) == {Count()}
    assert core(0).needs == core(0).needs != core(1).needs


def test_an_unmeasured_statistic_is_nulls_and_a_reason():
    """It does not end the run."""

    def fails(evidence):
        raise Unmeasured(Note("constant", "no value"))

    broken = Statistic(MOMENTS.columns, frozenset(), fails)
    values = evaluate([broken], Evidence({}, None))
    assert told(values) == "no value"
    assert set(values.values()) == {None, values["notes"]}


def test_no_column_twice():
    """Statistics never fill the same column."""
    names = [c.name for s in ALL for c in s.columns]
    assert len(names) == len(set(names))
