"""Statistics fill exactly their columns, with a note where a value is null."""

import numpy as np
import pytest

from tests.noted import told
from weightscope.columns import Column
from weightscope.errors import Unmeasured
from weightscope.notes import Note, notes_of
from weightscope.sketches import Count
from weightscope.statistics.elements import CODING, MOMENTS, SHAPE
from weightscope.statistics.laws import BEST_LAW
from weightscope.statistics.lines import IID, balanced_elements
from weightscope.statistics.statistic import (
    At,
    Evidence,
    Statistic,
    chosen,
    evaluate,
    needed,
    under,
)

ELEMENTWISE = (MOMENTS, BEST_LAW, SHAPE, CODING)
ALL = (*ELEMENTWISE, IID, balanced_elements(0))
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
    assert balanced_elements(0).needs == balanced_elements(0).needs != balanced_elements(1).needs


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


def of_delta(of, **fields):
    """A statistic with two columns, of the entry under a label."""
    columns = (
        Column("std", "float", "standard deviation", "weight", shown=True, error="std_se"),
        Column("std_se", "float", "its error", version=2, option="--long"),
    )
    return under("delta", "delta_", Statistic(columns, frozenset({Count()}), of), **fields)


def test_a_statistic_under_a_label_has_prefixed_columns_and_measures():
    """Names, errors and meanings have the label; a terminal shows none of them."""
    statistic = of_delta(lambda evidence: {})
    std, error = statistic.columns
    assert (std.name, std.error, std.meaning, std.unit, std.shown) == (
        "delta_std",
        "delta_std_se",
        "of the delta: standard deviation",
        "weight",
        False,
    )
    assert (error.name, error.error, error.version, error.option) == (
        "delta_std_se",
        "",
        2,
        "--long",
    )
    assert statistic.needs == {At("delta", Count())}
    assert not statistic.pools
    assert under("d", "d_", Statistic((), frozenset(), lambda evidence: {}, pools=True)).pools


def test_a_statistic_under_a_label_sees_the_sketches_of_its_label(counts_of):
    """Not those of the same measure of other entries; shape and kind as they are."""
    seen = []

    def of(evidence):
        seen.append(evidence)
        return {"std": evidence.sketches[Count()].std}

    sketches = {
        At("a", Count()): counts_of([0.0, 100.0]),
        At("delta", Count()): counts_of([1.0, 3.0]),
    }
    values = evaluate([of_delta(of)], Evidence(sketches, (1, 2), kind="bias"))
    assert values == {"delta_std": 1.0, "delta_std_se": None, "notes": ()}
    assert (seen[0].shape, seen[0].kind) == ((1, 2), "bias")
    assert evaluate([of_delta(of)], Evidence({At("a", Count()): counts_of([1.0])}, (1, 1))) == {
        "delta_std": None,
        "delta_std_se": None,
        "notes": (),
    }


def test_a_statistic_under_a_label_lacks_the_columns_of_others():
    """Where a name would arise twice, the other statistic fills it."""
    statistic = of_delta(lambda evidence: {"std": 1.0, "std_se": 2.0}, without={"std"})
    assert [column.name for column in statistic.columns] == ["delta_std_se"]
    values = statistic.of(Evidence({At("delta", Count()): None}, None))
    assert values == {"delta_std_se": 2.0, "notes": ()}


def test_notes_of_a_statistic_under_a_label_name_it():
    """Text and template, so that notes alike are still counted together; the code stays."""
    note = Note.of("non-finite", "{nan} NaN", nan=3)

    def fails(evidence):
        raise Unmeasured(note)

    for of in (lambda evidence: {"notes": (note,)}, fails):
        values = evaluate([of_delta(of)], Evidence({At("delta", Count()): None}, None))
        (prefixed,) = notes_of(values)
        assert (prefixed.code, prefixed.text) == ("non-finite", "delta: 3 NaN")
        assert prefixed.alike == Note.of("non-finite", "delta: {nan} NaN", nan=4).alike
        assert dict(prefixed.values) == {"nan": 3}
