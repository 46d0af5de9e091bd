"""CSV and TSV, read back by Python's own reader and by pandas."""

import csv
import dataclasses
import io

import pandas
import pytest

from weightscope.columns import Column
from weightscope.reports.report import Report
from weightscope.reports.screen import Screen
from weightscope.reports.tables import Table
from weightscope.reports.view import View
from weightscope.reports.writers.csv import lines

TEXT = """tensor,role,params,std,iid,note
h.2.w,attn.q,12,0.30000000000000004,true,
h.10.w,attn.q,9007199254740993,nan,false,""
"a,""b""
\x1b[31m[bold]|\u202e\\ud800=1\t",,0,inf,,x
h.1.w,mlp.up,,,,
é漢,mlp.up,7,-1e-300,true,NA
"""


def test_whole_text(written, report):
    """One header, plain line feeds, quotes only where they are needed, null and "" told apart."""
    assert written(report, "csv").decode() == TEXT


@pytest.mark.parametrize(("name", "separator"), [("csv", ","), ("tsv", "\t")])
def test_reads_back(written, report, rows, columns, name, separator):
    """Python's reader finds every field of every row, whatever the name contains."""
    text = written(report, name).decode()
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    assert lines[0] == [c.name for c in columns]
    assert [line[0] for line in lines[1:]] == [
        str(r["tensor"]).replace("\ud800", "\\ud800") for r in rows
    ]
    assert [line[3] for line in lines[1:]] == ["0.30000000000000004", "nan", "inf", "", "-1e-300"]


@pytest.mark.parametrize("text", ["a b", "a\\b", "é", "a\u2003b", "-1", "null"])
def test_plain_texts_have_no_quotes(text):
    """Spaces inside of a text, backslashes and wide characters need none."""
    table = Table((Column("tensor", "str", ""),), ({"tensor": text},))
    assert list(lines(table, ",", False)) == ["tensor\n", f"{text}\n"]


@pytest.mark.parametrize(
    "text", ["", " ", "a,", 'a"', "a\nb", "a\rb", " a", "a ", "\u2003a", "a\x1c", "a\n"]
)
def test_texts_that_readers_would_change_have_quotes(text):
    """Separators, quotes, ends of lines, and any space that Unicode knows at either end."""
    table = Table((Column("tensor", "str", ""),), ({"tensor": text},))
    _, line = lines(table, ",", False)
    doubled = text.replace('"', '""')
    assert line == f'"{doubled}"\n'


def test_pandas_reads_the_same_numbers(written, report):
    """pandas reads values of the same type, and floats to its parser's last bit."""
    frame = pandas.read_csv(io.BytesIO(written(report, "csv")))
    assert frame["std"].tolist()[::4] == pytest.approx([0.1 + 0.2, -1e-300], rel=1e-15)
    assert frame["iid"].tolist()[:2] == [True, False]


@pytest.mark.parametrize(("name", "separator"), [("csv", ","), ("tsv", "\t")])
def test_an_empty_table_is_its_header(written, empty, name, separator):
    """No rows is not no output."""
    assert (
        written(empty, name).decode()
        == separator.join(["tensor", "role", "params", "std", "iid", "note"]) + "\n"
    )


def test_a_null_alone_on_its_line_is_not_an_empty_line(written, report):
    """Readers skip empty lines and would lose a row."""
    chosen = dataclasses.replace(report, view=View(("std",)))
    assert written(chosen, "csv").decode().splitlines()[4] == '""'


def test_a_terminal_never_sees_a_raw_name(written, report):
    """Asked for CSV on a terminal, names are made visible; in a file they are data."""
    text = written(report, "csv", Screen(terminal=True)).decode()
    assert "\x1b" not in text
    assert r'"a,""b""\n\x1b[31m[bold]|\u202e\ud800=1\t",,0' in text


def test_drawn_columns_are_for_the_eye(written):
    """A histogram in block characters is data only where it is asked for by name."""
    columns = (Column("tensor", "str", ""), Column("histogram", "str", ""))
    report = Report("fit", ({"tensor": "a", "histogram": "▁█"},), columns)
    assert written(report, "csv") == b"tensor\na\n"
    named = dataclasses.replace(report, view=View(("histogram",)))
    assert written(named, "csv").decode() == "histogram\n▁█\n"
