"""Advice for mistaken names and expressions: it works when it is followed."""

import re

import pytest

from weightscope.columns import Column
from weightscope.errors import UsageError
from weightscope.reports.expression import parse
from weightscope.reports.known import check

COLUMNS = [
    Column("tensor", "str", "name"),
    Column("dtype", "str", "type"),
    Column("layer", "int", "number"),
    Column("params", "int", "elements"),
    Column("mean", "float", "mean"),
    Column("std", "float", "standard deviation"),
    Column("nan", "int", "count"),
    Column("beta", "float", "shape"),
    Column("dead", "bool", "all zero"),
]
LONG = {"sigma": "--long", "spikes": "--spectrum", "several": "more MODELs"}


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("name", "tensor"),
        ("Name", "tensor"),
        ("key", "tensor"),
        ("stdev", "std"),
        ("stddev", "std"),
        ("mu", "mean"),
        ("numel", "params"),
        ("type", "dtype"),
        ("block", "layer"),
        ("nans", "nan"),
        ("betta", "beta"),
    ],
)
def test_a_name_of_other_programs_is_a_column(name, column):
    """Of the same quantity; a slip of the keyboard is the nearest one."""
    with pytest.raises(UsageError, match=rf"found '{name}'; did you mean '{column}'\?"):
        check([name], COLUMNS, {})
    check([column], COLUMNS, {})


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("sigma", "found 'sigma', which needs --long; did you mean 'std'? or add --long"),
        ("spikes", "found 'spikes', which needs --spectrum; add --spectrum"),
        ("spikse", "did you mean 'spikes'? add --spectrum"),
        ("severl", "did you mean 'several'? it needs more MODELs"),
        ("null", "test for null with isnull(column)"),
        ("qqq", "columns: tensor, dtype"),
    ],
)
def test_a_column_of_another_run_names_what_it_needs(name, advice):
    """Following the advice leads to no second error."""
    with pytest.raises(UsageError, match=re.escape(advice)):
        check([name], COLUMNS, LONG)


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("beta = 2", "beta == 2"),
        ("beta=2", "beta==2"),
        ("beta === 2", "beta == 2"),
        ("beta => 2", "beta >= 2"),
        ("beta =< 2", "beta <= 2"),
        ("beta <> 2", "beta != 2"),
        ("beta > 2 && std < 1", "beta > 2 and std < 1"),
        ("beta > 2 || std < 1", "beta > 2 or std < 1"),
        ("(beta > 2) & (std < 1)", "(beta > 2) and (std < 1)"),
        ("(beta > 2) | (std < 1)", "(beta > 2) or (std < 1)"),
        ("beta > 2 AND NOT dead", "beta > 2 and not dead"),
        ("!dead", "not dead"),
        ("beta is null", "isnull(beta)"),
        ("beta is not null", "not isnull(beta)"),
        ("beta == null", "isnull(beta)"),
        ("tensor = 'a=b && c'", "tensor == 'a=b && c'"),
    ],
)
def test_signs_of_other_languages_are_translated(text, corrected):
    """The advice is an expression that has a meaning; texts in quotes stay as they are."""
    with pytest.raises(UsageError, match=re.escape(f"write `{corrected}`")):
        parse(text, COLUMNS)
    assert parse(corrected, COLUMNS).names


@pytest.mark.parametrize("text", ["beta =", "x = 1", "beta = 'a'", "beta >", "= " * 3000])
def test_no_advice_that_fails(text):
    """What has no meaning after the correction either keeps its own error."""
    with pytest.raises(UsageError) as refused:
        parse(text, COLUMNS)
    assert "write `" not in str(refused.value)
