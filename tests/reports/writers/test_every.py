"""What every output format must do, for each member of WRITERS."""

import math
from itertools import chain

import pytest

from weightscope.cli.options import Outputs
from weightscope.cli.parameters import help_of
from weightscope.columns import Column
from weightscope.options import declared
from weightscope.reports.report import Report
from weightscope.reports.screen import Screen
from weightscope.reports.writers import WRITERS

TEXT_FORMATS = [name for name, writer in WRITERS.items() if not writer.binary]


@pytest.fixture(params=WRITERS)
def name(request):
    return request.param


def test_the_key_is_the_name(name):
    """`--format` and the messages use one name."""
    assert WRITERS[name].name == name
    assert WRITERS[name].about


def test_suffixes_are_its_own():
    """Every suffix belongs to one format: lower case, with a dot."""
    suffixes = list(chain.from_iterable(writer.suffixes for writer in WRITERS.values()))
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)


def test_help_lists_it(name):
    """`--format` names it without another declaration."""
    option = next(option for option in declared(Outputs) if option.name == "format")
    assert name in help_of(option).replace(",", "").replace(";", "").split()


def test_writing_twice_gives_the_same_bytes(written, report, name):
    """A report of nulls, NaN, Inf, large integers and hostile names, and the same one again."""
    data = written(report, name)
    assert data == written(report, name)
    assert len(data) > 100


def test_an_empty_table_is_written(written, empty, report, name):
    """No rows are no error, and fewer bytes than five rows."""
    assert len(written(empty, name)) < len(written(report, name))


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_digits_are_exact(written, report, name):
    """Outside a terminal a text format writes names, digits and integers in full."""
    text = written(report, name).decode("utf-8")
    assert "h.10.w" in text
    assert repr(0.1 + 0.2) in text
    assert str(2**53 + 1) in text


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_names_do_not_control_a_terminal(written, report, name):
    """On a terminal no control character of a name is written.

    Surrogates and overrides are escaped.
    """
    text = written(report, name, Screen(terminal=True, width=200)).decode("utf-8")
    assert not [c for c in text if (not c.isprintable() and c not in "\n\t")]


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("str", ""), ("str", "\ud800"), ("int", -(2**63)), ("float", math.nan), ("bool", True)],
)
def test_a_single_cell(written, name, dtype, value):
    """One column with one value, and with one null."""
    columns = (Column("x", dtype, "a value", shown=True),)
    assert written(Report("fit", ({"x": value},), columns), name)
    assert written(Report("fit", ({"x": None},), columns), name)


def test_save_takes_its_suffixes(report, tmp_path, name):
    """`Report.save` writes it by every suffix."""
    for suffix in WRITERS[name].suffixes:
        report.save(tmp_path / f"report{suffix}")
        assert (tmp_path / f"report{suffix}").stat().st_size
