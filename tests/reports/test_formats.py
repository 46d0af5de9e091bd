"""Which format a file or a stream gets."""

import pytest

from weightscope.errors import UsageError
from weightscope.reports.formats import default_format, format_of, writer_for
from weightscope.reports.screen import FILE, Screen
from weightscope.reports.writers import WRITERS


@pytest.mark.parametrize(
    ("path", "name"),
    [
        *((f"a{suffix}", name) for name, writer in WRITERS.items() for suffix in writer.suffixes),
        ("a.csv", "csv"),
        ("a.TSV", "tsv"),
        ("a.json", "json"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.parquet", "parquet"),
        ("a.md", "markdown"),
        ("a.markdown", "markdown"),
        ("a.txt", "table"),
    ],
)
def test_the_suffix_names_the_format(path, name):
    """Each suffix means one format, in either case; a name given wins."""
    assert format_of(path) == name
    assert format_of(path, "json") == "json"


def test_unknown_suffixes_and_formats_are_refused():
    """The message lists what there is."""
    with pytest.raises(
        UsageError, match=r"ending in one of .*\.csv.*\.parquet.*found 'a.xlsx'.*--format"
    ):
        format_of("a.xlsx")
    with pytest.raises(UsageError, match=r"expected a format: table, csv, .*; found 'xml'"):
        format_of("a.csv", "xml")


def test_parquet_does_not_go_to_a_terminal():
    """Binary output needs a file or a pipe."""
    with pytest.raises(
        UsageError, match=r"expected a file or a pipe for parquet; found a terminal; add --output"
    ):
        writer_for("parquet", Screen(terminal=True))
    assert writer_for("parquet", FILE).binary


def test_a_terminal_gets_a_table_and_a_pipe_csv():
    """Nobody need ask."""
    assert (default_format(Screen(terminal=True)), default_format(FILE)) == ("table", "csv")
