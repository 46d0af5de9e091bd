"""The report as a library's user meets it."""

import dataclasses
import io
import json
import math
import subprocess
import sys

import pandas
import pytest

from weightscope.columns import Column
from weightscope.errors import UsageError
from weightscope.reports.report import Report
from weightscope.reports.view import View


def test_table_is_a_frame_where_null_and_nan_differ(report, rows):
    """Nullable types; NaN is a value, null is not."""
    frame = report.table
    assert [str(t) for t in frame.dtypes] == [
        "string",
        "string",
        "Int64",
        "Float64",
        "boolean",
        "string",
    ]
    assert frame["params"][1] == 2**53 + 1
    assert frame["std"].array._mask.tolist() == [False, False, False, True, False]
    assert math.isnan(frame["std"].array._data[1])
    assert frame["iid"][2] is pandas.NA
    assert frame["note"].isna().tolist() == [True, False, False, True, False]
    assert frame["tensor"].tolist() == [row["tensor"] for row in rows]


def test_table_is_as_the_view_says(report, empty):
    """Rows and columns of the view; an empty table has its types."""
    seen = dataclasses.replace(report, view=View(("std", "tensor"), "params > 0", "-params", 1))
    assert seen.table.to_dict("list")["tensor"] == ["h.10.w"]
    assert list(seen.table.columns) == ["std", "tensor"]
    assert str(empty.table["std"].dtype) == "Float64"


def test_the_view_leaves_the_rows_to_the_gates(report):
    """Filtering is looking: the measured rows stay."""
    assert len(dataclasses.replace(report, view=View(where="params > 10**9")).rows) == 5


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "parquet", "md", "txt"])
def test_save_takes_the_format_from_the_suffix(report, tmp_path, suffix):
    """Each suffix writes a file; a table in a file is without colour."""
    report.save(tmp_path / f"r.{suffix}")
    data = (tmp_path / f"r.{suffix}").read_bytes()
    assert data.startswith(b"PAR1") if suffix == "parquet" else b"h.10.w" in data
    assert b"\x1b[1m" not in data


def test_save_writes_a_named_table(report, tmp_path):
    """Extra tables go to files of their own, whole."""
    counts = ((Column("count", "int", ""),), ({"count": 3},))
    dataclasses.replace(report, tables={"counts": counts}, view=View(limit=0)).save(
        tmp_path / "c.csv", table="counts"
    )
    assert (tmp_path / "c.csv").read_text() == "count\n3\n"


def test_write_to_a_pipe_is_csv_unless_told(report):
    """No terminal: CSV; any format by name."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    report.write(out)
    assert out.buffer.getvalue().startswith(b"tensor,role,")
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    report.write(out, "jsonl")
    assert out.buffer.getvalue().startswith(b'{"tensor": "h.2.w"')
    with pytest.raises(UsageError, match="expected a format"):
        report.write(out, "xml")


def test_provenance_beside_any_format(report, tmp_path):
    """Where it came from and what it took, as JSON."""
    dataclasses.replace(report, timing={"seconds": 1.5}).save_provenance(tmp_path / "p.json")
    assert json.loads((tmp_path / "p.json").read_text()) == {
        "version": "0",
        "options": {"x": None},
        "seconds": 1.5,
    }


def test_text_and_html_are_harmless(report, monkeypatch):
    """print() gives the compact table, a notebook the same as HTML; neither carries a raw name."""
    monkeypatch.setenv("COLUMNS", "90")
    assert str(report).splitlines()[0].split() == ["tensor", "role", "params", "std"]
    evil = dataclasses.replace(report, rows=({"tensor": "<script>\x1b", "std": 0.123456},))
    page = evil._repr_html_()
    assert r"&lt;script&gt;\x1b" in page
    assert '<td style="text-align:right">0.1235</td>' in page
    assert repr(report) == "<Report fit: 5 rows, 6 columns>"
    single = dataclasses.replace(report, rows=report.rows[:1], columns=report.columns[:1])
    assert repr(single) == "<Report fit: 1 row, 1 column>"


def test_importing_reports_loads_nothing_heavy():
    """numpy, pandas, torch, rich, pyarrow and matplotlib wait for their first use.

    CSV needs none of them.
    """
    code = (
        "import sys, io; from weightscope.reports.report import Report; "
        "from weightscope.columns import Column; "
        "Report('x', ({'a': 1},), (Column('a', 'int', ''),)).write(sys.stdout); "
        "heavy = ('numpy', 'pandas', 'torch', 'rich', 'pyarrow', 'matplotlib'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "a\n1\n[]\n"


def test_report_is_immutable(report):
    """A report is a record of what was measured."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.rows = ()
    assert isinstance(report, Report)
