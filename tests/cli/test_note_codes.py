"""Codes of notes.

For programs in JSON and Parquet, for people where they are named, and for gates.
"""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def odd(store):
    """A matrix with a NaN, and a vector."""
    w = np.random.default_rng(0).standard_normal((48, 64)).astype(np.float32)
    w[3, 4] = np.nan
    return store(
        {"layers.0.mlp.up_proj.weight": w, "norm.weight": np.linspace(1, 2, 64, dtype=np.float32)}
    )


COMMANDS = ["fit", "spectrum", "outliers", "ls"]


def header(text):
    """The columns of CSV."""
    return next(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("command", COMMANDS)
def test_records_have_the_codes_and_tables_have_not(weightscope, odd, command, tmp_path):
    """Nor do they where `all` columns are asked for; named, they are in every format."""
    for more in ([], ["--columns", "all"]):
        for form in ("csv", "tsv", "table", "markdown"):
            assert "note_codes" not in weightscope(command, odd, "-f", form, *more).out
        assert all(
            "note_codes" in row
            for row in json.loads(weightscope(command, odd, "-f", "json", *more).out)
        )
    weightscope(command, odd, "-o", tmp_path / "r.parquet")
    assert pq.read_table(tmp_path / "r.parquet").column_names[-2:] == ["note", "note_codes"]
    for form in ("csv", "tsv", "table", "markdown"):
        named = weightscope(command, odd, "-f", form, "--columns", "tensor,note_codes").out
        assert "note_codes" in named.replace("\\", "").splitlines()[0]
    assert (
        header(weightscope(command, odd, "-f", "csv", "--columns", "all,note_codes").out)[-1]
        == "note_codes"
    )


@pytest.mark.parametrize(("command", "wanted"), [
    ("fit", ["non-finite", "vector,few-weights,beta-at-bound"]),
    ("spectrum", ["non-finite", "vector"]),
    ("outliers", ["non-finite", "vector"]), ("ls", [None, None]),
])  # fmt: skip
def test_codes_of_rows(weightscope, odd, command, wanted):
    """Joined by commas, each once, null without any; asked for alone they are the same."""
    for more in ([], ["--columns", "note_codes"]):
        rows = json.loads(weightscope(command, odd, "-f", "json", *more).out)
        assert [row["note_codes"] for row in rows] == wanted


@pytest.mark.parametrize("command", ["fit", "spectrum", "outliers"])
def test_a_gate_asks_for_a_code(weightscope, odd, command):
    """Whatever the text of the note; with few columns too."""
    for more in ([], ["--columns", "tensor"]):
        assert weightscope(command, odd, *more, "--fail-if", '"non-finite" in note_codes').code == 1
        assert weightscope(command, odd, *more, "--fail-if", '"memory" in note_codes').code == 0
    where = weightscope(
        command, odd, "--where", "note_codes == 'non-finite'", "--columns", "tensor", "-f", "csv"
    )
    assert where.out.splitlines() == ["tensor", "layers.0.mlp.up_proj.weight"]


def test_a_group_has_the_code_of_groups(weightscope, odd):
    """Beside those of its own."""
    rows = json.loads(weightscope("fit", odd, "--by", "role", "-f", "json").out)
    assert [row["note_codes"] for row in rows] == [
        "non-finite,group",
        "few-weights,beta-at-bound,group,vector",
    ]


@pytest.mark.parametrize(
    "columns", [[], ["--columns", "all"], ["--columns", "tensor,std"], ["--columns", "tensor"]]
)
def test_a_gate_on_codes_sees_every_note(weightscope, odd, columns):
    """Whatever columns are shown: notes are about every statistic."""
    gate = ["--fail-if", '"beta-at-bound" in note_codes']
    done = weightscope("fit", odd, *columns, *gate)
    assert done.code == 1
    assert "1 of 2 rows match\n  norm.weight" in done.err


@pytest.mark.parametrize("by", ["role", "model"])
def test_groups_have_the_codes_of_their_tensors(weightscope, odd, by):
    """The note quotes one of them; a gate sees all."""
    done = weightscope("fit", odd, "--by", by, "--fail-if", '"few-weights" in note_codes')
    assert done.code == 1
    rows = json.loads(weightscope("fit", odd, "--by", by, "-f", "json").out)
    found = {row["kind"]: row["note_codes"].split(",") for row in rows}
    assert {"group", "vector", "few-weights", "beta-at-bound"} <= set(found["norm"])
    assert "non-finite" in found["matrix"]
