"""Stored reports, read back: what a format keeps, and which files are refused with which code."""

import json
import math
from dataclasses import replace

import pytest

from weightscope.columns import Column
from weightscope.errors import CheckpointError, UsageError
from weightscope.reports import stored_tables
from weightscope.reports.report import Report
from weightscope.reports.stored import is_stored, provenance_beside, stored_report

ABOUT = {"version": "0", "command": "fit", "options": {"by": "role"}, "column_versions": {"std": 2}}
STD = Column("std", "float", "standard deviation")
NAME = Column("tensor", "str", "name as stored")
every_suffix = pytest.mark.parametrize("suffix", ["csv", "json", "parquet", "pq"])


@pytest.fixture
def kept(report, tmp_path):
    """`kept("csv")`: the table of hard values, stored."""

    def write(suffix, provenance=ABOUT):
        path = tmp_path / f"old.{suffix}"
        replace(report, provenance=provenance).save(path)
        return path

    return write


def written(tmp_path, data, name="old.csv"):
    """A file with these bytes or this text."""
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@every_suffix
def test_a_report_reads_back(kept, rows, columns, suffix):
    """Every value, null, NaN and hostile name.

    No format has lone surrogates, empty text is null, JSON has no NaN and Inf.
    """
    stored = stored_report(kept(suffix))
    assert stored.names == tuple(column.name for column in columns)
    for row, expected in zip(stored.rows(columns), rows, strict=True):
        for name, value in expected.items():
            if isinstance(value, str):
                value = value.encode("utf-8", "backslashreplace").decode() or None
            if suffix == "json" and isinstance(value, float) and not math.isfinite(value):
                value = None
            assert repr(row[name]) == repr(value)


@every_suffix
def test_some_columns_are_read_in_the_order_asked(kept, suffix):
    """Others are not converted: their types do not matter."""
    (first, *_) = stored_report(kept(suffix)).rows((STD, NAME))
    assert list(first) == ["std", "tensor"]
    assert first["std"] == 0.1 + 0.2


@every_suffix
def test_provenance_inside_or_beside(kept, tmp_path, suffix):
    """Parquet has it inside; of other formats it is the file beside, or none."""
    stored = stored_report(kept(suffix))
    inside = suffix in ("parquet", "pq")
    assert stored.provenance == (ABOUT if inside else None)
    beside = tmp_path / "old.provenance.json"
    Report("fit", (), (), provenance=ABOUT | {"version": "1"}).save_provenance(beside)
    stored = stored_report(kept(suffix))
    assert stored.provenance["version"] == ("0" if inside else "1")
    assert stored.files == (stored.path,) if inside else (stored.path, str(beside))


@every_suffix
def test_named_provenance_comes_first(kept, tmp_path, suffix):
    """Before that inside and beside."""
    named = written(tmp_path, json.dumps(ABOUT | {"version": "2"}), "about.json")
    written(tmp_path, json.dumps(ABOUT), "old.provenance.json")
    stored = stored_report(kept(suffix), named)
    assert stored.provenance["version"] == "2"
    assert stored.files == (stored.path, str(named))


def test_what_counts_as_a_report(tmp_path):
    """The suffix of a file, never a folder, an index of shards or what is no path."""
    (tmp_path / "run.csv").mkdir()
    assert [is_stored(name) for name in ("a.csv", b"a.pq", tmp_path / "a.JSON")] == [True] * 3
    others = ("a.safetensors", "model.safetensors.index.json", {"a.csv": 1}, None, "demo:gpt")
    assert not any(map(is_stored, (*others, tmp_path / "run.csv")))
    assert provenance_beside("a/old.b.json") == "a/old.b.provenance.json"


@every_suffix
def test_a_missing_file(tmp_path, suffix):
    """Exit 3, with its name."""
    text = rf"old\.{suffix}: expected a readable file; found: No such file or directory; check"
    with pytest.raises(CheckpointError, match=text):
        stored_report(tmp_path / f"old.{suffix}")


@every_suffix
def test_a_report_that_is_cut_off(kept, columns, tmp_path, suffix):
    """Exit 3 wherever it ends: no row of half a file is used."""
    data = kept(suffix).read_bytes()
    for size in range(0, len(data), len(data) // 20):
        if suffix == "csv" and data[:size].endswith(b"\n"):
            continue  # whole rows are a whole report
        path = written(tmp_path, data[:size], f"old.{suffix}")
        with pytest.raises(CheckpointError, match="expected a whole report; found") as caught:
            list(stored_report(path).rows(columns))
        assert caught.value.advice == "write the report again"
        assert not caught.value.found.endswith(".")


def test_a_damaged_page_of_parquet(kept, columns):
    """Bytes that no longer decompress: exit 3."""
    path = kept("parquet")
    data = bytearray(path.read_bytes())
    data[4:300] = bytes(296)
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="expected a whole report; found no readable Parquet"):
        list(stored_report(path).rows(columns))


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("old.csv", "\n", "found the columns ; "),
        ("old.csv", "A;B\n1;2\n", "found the columns A;B; "),
        ("old.csv", "std,x,x\n1,2,3\n", "found the column 'x' twice"),
        ("old.csv", b"\xff\xfe\x00", "found no text in UTF-8"),
        ("old.json", '{"version": 1}', 'found no array of records: {"version": 1}'),
        ("old.json", "[1]", r"found no array of records: \[1\]"),
        ("old.json", " [ ]", "found no rows: without them a JSON report has no columns"),
        ("old.json", '[{"A b": 1}]', "found the columns A b;"),
        ("old.json", '[{"std": 1}, {"stdd": 1}]', "found other columns in row 2"),
        ("old.json", '[{"std": 1}, 3]', "found other columns in row 2"),
        ("old.csv", "std\nx\n", "found x in the column std of row 1, which has the type float"),
        ("old.json", '[{"std": "x"}]', "found x in the column std of row 1"),
        ("old.json", '[{"std": true}]', "found True in the column std of row 1"),
        ("old.json", '[{"std": [1]}]', "found a list of 1 in the column std of row 1"),
        ("old.json", '[{"std": 1' + 400 * "0" + "}]", "found an integer of 1329 bits in the"),
    ],
)
def test_a_file_that_is_no_report(tmp_path, name, data, found):
    """Exit 2: what was found, and what to name instead."""
    with pytest.raises(UsageError, match=found) as caught:
        list(stored_report(written(tmp_path, data, name)).rows((STD,)))
    assert "expected a report that weightscope wrote" in caught.value.expected
    assert caught.value.advice == "name the file of an earlier run, as written by --output"


@pytest.mark.parametrize(
    ("dtype", "text"),
    [("int", "1.5"), ("int", str(2**63)), ("bool", "True"), ("float", "0,5")],
)
def test_text_of_another_type(tmp_path, dtype, text):
    """A field that its column cannot have written."""
    path = written(tmp_path, f'x\n"{text}"\n')
    with pytest.raises(UsageError, match=f"found {text} in the column x of row 1, .* type {dtype}"):
        list(stored_report(path).rows((Column("x", dtype, ""),)))


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("old.csv", "", "found an empty file"),
        ("old.csv", b"tensor\n\xe6\xbc", "found the end in the middle of a character"),
        ("old.json", " ", "found an empty file"),
        ("old.csv", "std,mean\n1,2\n3\n", "found 1 of 2 fields in row 2"),
        ("old.csv", "std,mean\n1,2\n3,4", "found the end in the middle of a line"),
        ("old.csv", 'tensor,std\n"a,1\n', "found unexpected end of data"),
        ("old.json", '[{"std": 1}', "found Expecting ',' delimiter"),
        ("old.json", "[", "found Expecting value"),
        ("old.json", '[{"std": ' + 100_000 * "[", "found maximum recursion depth"),
        ("old.parquet", "PAR1PAR1", "found no readable Parquet"),
        ("old.parquet", "std\n1\n", "found no readable Parquet"),
    ],
)
def test_a_file_that_is_not_whole(tmp_path, name, data, found):
    """Exit 3 for damage of any format; deep nesting is refused too."""
    with pytest.raises(CheckpointError, match=found):
        list(stored_report(written(tmp_path, data, name)).rows((STD,)))


def test_what_editors_add_to_csv(tmp_path):
    """A byte order mark, Windows' line ends and an empty last line change no value."""
    path = written(tmp_path, "\ufefftensor,std\r\na,0.5\r\n\r\n")
    assert list(stored_report(path).rows((NAME, STD))) == [{"tensor": "a", "std": 0.5}]


def test_a_parquet_file_of_too_many_rows(kept, monkeypatch):
    """A few bytes can declare a billion rows; they are refused from the metadata."""
    path = kept("parquet")
    monkeypatch.setattr(stored_tables, "CELLS", 5 * len(stored_report(path).names))
    assert stored_report(path).names
    monkeypatch.setattr(stored_tables, "CELLS", 29)
    with pytest.raises(UsageError, match="found a table of 5 rows"):
        stored_report(path)


@pytest.mark.parametrize(
    ("about", "error", "found"),
    [
        ("{", CheckpointError, "found provenance that is no JSON"),
        ("[]", UsageError, "found a list of 0; name the file that --provenance wrote"),
        ("{}", UsageError, "found None as its command"),
        ('{"command": 3, "options": {}}', UsageError, "found 3 as its command"),
        ('{"command": "fit", "options": []}', UsageError, "found a list of 0 as its options"),
        (
            '{"command": "fit", "options": {}, "column_versions": 3}',
            UsageError,
            "found 3 as its column_versions",
        ),
    ],
)
def test_provenance_that_is_none(kept, tmp_path, about, error, found):
    """Refused wherever it comes from, with what it lacks."""
    written(tmp_path, about, "old.provenance.json")
    with pytest.raises(error, match=found):
        stored_report(kept("csv"))


def test_a_null_character_in_the_name():
    """No path has one."""
    with pytest.raises(UsageError, match="found a null character in its name"):
        stored_report("a\0.csv")
