"""What the two commands print and write: formats, columns, rows, files."""

import csv
import io
import json
import os
import subprocess

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

NAMES = [
    "lm_head.weight",
    "model.layers.2.mlp.down_proj.weight",
    "model.layers.10.mlp.down_proj.weight",
    "model.norm.weight",
]


def records(text):
    """The lines of a CSV."""
    return list(csv.DictReader(io.StringIO(text)))


def csv_text(value):
    """The text of a JSON value in CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def names(done):
    """The column `tensor` of a report in CSV."""
    assert done.code == 0, done.err
    return [row["tensor"] for row in records(done.out)]


@pytest.mark.usefixtures("measured_anew")
@pytest.mark.parametrize("command", ["fit", "ls"])
def test_rows_stand_in_natural_order(weightscope, model, command):
    """Layer 2 before layer 10; two runs print the same bytes."""
    first = weightscope(command, model)
    assert names(first) == NAMES
    assert weightscope(command, model).out == first.out


@pytest.mark.usefixtures("measured_anew")
def test_the_same_bytes_whatever_the_resources(weightscope, model):
    """Threads and memory decide how fast, never what."""
    plain = weightscope("fit", model)
    assert plain.code == 0
    for more in ("--threads 1", "--memory 64MiB", "--threads 3 --memory 1GiB"):
        assert weightscope("fit", model, *more.split()).out == plain.out, more


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (["-i", "*mlp*"], NAMES[1:3]),
        (["-i", "*mlp*", "-i", "lm*"], NAMES[:3]),
        (["-x", "*mlp*"], [NAMES[0], NAMES[3]]),
        (["--role", "mlp.*"], NAMES[1:3]),
        (["--role", "head", "--role", "norm"], [NAMES[0], NAMES[3]]),
        (["--layers", "10"], NAMES[2:3]),
        (["--layers", "0-2,4"], NAMES[1:2]),
        (["--min-params", "100"], NAMES[:3]),
        (["--where", "layer < 5"], NAMES[1:2]),
        (["--where", "isnull(layer)", "--sort=-tensor"], [NAMES[3], NAMES[0]]),
        (["--sort", "layer"], [NAMES[1], NAMES[2], NAMES[0], NAMES[3]]),
        (["--sort=-layer"], [NAMES[2], NAMES[1], NAMES[0], NAMES[3]]),
        (["--limit", "2"], NAMES[:2]),
        (["--limit", "0"], []),
        (["--where", "std > 1000"], []),
    ],
    ids=" ".join,
)
def test_selections(weightscope, model, selection, found):
    """Which rows, and in which order."""
    assert names(weightscope("fit", model, *selection)) == found


def test_columns(weightscope, model):
    """In the order asked; `all` is every column; a pipe has all but those on request."""
    asked = weightscope("fit", model, "--columns", "ks_normal, tensor")
    assert asked.out.splitlines()[0] == "ks_normal,tensor"
    assert weightscope("ls", model, "--columns", "all").out == weightscope("ls", model).out
    front = weightscope("ls", model, "--columns", "tensor,all").out
    assert front == weightscope("ls", model).out
    usual = records(weightscope("fit", model).out)
    everything = records(weightscope("fit", model, "--columns", "all").out)
    on_request = everything[0].keys() - usual[0].keys()
    assert on_request == {"std_se", "kurtosis_se"}
    assert usual == [{c: row[c] for c in row if c not in on_request} for row in everything]
    assert "std_se" in weightscope("fit", model, "--columns", "tensor,std_se").out
    assert weightscope("fit", model, "--where", "std_se > 0").out == weightscope("fit", model).out


@pytest.mark.parametrize(
    ("command", "columns"),
    [("fit", ["std"]), ("fit", ["row_spread", "tensor"]), ("ls", ["bytes", "tensor"])],
)
def test_asking_for_fewer_columns_changes_no_number(weightscope, model, command, columns):
    """What is not asked for is not measured; what is asked for is the same."""
    full = records(weightscope(command, model).out)
    few = records(weightscope(command, model, "--columns", ",".join(columns)).out)
    assert few == [{c: row[c] for c in columns} for row in full]


def test_formats(weightscope, model):
    """The same rows in every text format."""
    rows = records(weightscope("ls", model).out)
    as_json = json.loads(weightscope("ls", model, "-f", "json").out)
    lines = [json.loads(line) for line in weightscope("ls", model, "-f", "jsonl").out.splitlines()]
    assert as_json == lines
    assert [r.pop("note_codes") for r in as_json] == [None] * len(rows)
    assert [{name: csv_text(value) for name, value in r.items()} for r in as_json] == rows
    assert weightscope("ls", model, "-f", "tsv").out.splitlines()[0].split("\t") == list(rows[0])
    table = weightscope("ls", model, "-f", "table").out
    assert table.splitlines()[0].split() == list(rows[0])
    assert weightscope("ls", model, "-f", "markdown").out.startswith("| tensor | layer |")


def test_files(weightscope, model, tmp_path):
    """-o writes files in the format of their suffix instead of stdout; -f wins over the suffix."""
    paths = [tmp_path / f"r.{suffix}" for suffix in ("csv", "json", "parquet", "md")]
    done = weightscope("fit", model, *(x for path in paths for x in ("-o", path)))
    assert (done.code, done.out) == (0, "")
    assert paths[0].read_text() == weightscope("fit", model).out
    assert [r["tensor"] for r in json.loads(paths[1].read_text())] == NAMES
    stored = pq.read_table(paths[2])
    assert stored.column("tensor").to_pylist() == NAMES
    about = json.loads(stored.schema.metadata[b"weightscope"])
    assert about["command"] == "fit"
    assert {
        "version",
        "command",
        "sources",
        "options",
        "device",
        "device_reason",
        "libraries",
    } <= about.keys()
    assert not {"seconds", "bytes_read", "created"} & about.keys()
    weightscope("fit", model, "-o", tmp_path / "odd.txt", "-f", "json")
    assert len(json.loads((tmp_path / "odd.txt").read_text())) == 4


def test_parquet_in_a_pipe(copied, model):
    """Bytes, as they are; only a terminal is refused."""
    run = copied(
        "ls", model, "-q", "-f", "parquet", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    data = run.stdout.buffer.read()
    assert run.wait() == 0
    assert data.startswith(b"PAR1")


def test_no_file_is_left_half_written(weightscope, model, tmp_path, monkeypatch):
    """A writer that fails leaves the old file as it was and nothing beside it."""
    target = tmp_path / "r.csv"
    target.write_text("old")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    done = weightscope("fit", model, "-o", target)
    assert done.code == 3
    assert "No space left" in done.err
    assert target.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["model.safetensors", "r.csv"]


def test_several_models(weightscope, model, odd):
    """The column `source` tells the rows apart; totals are one line a model."""
    done = weightscope("ls", model, odd)
    assert {row["source"] for row in records(done.out)} == {model, odd}
    assert done.out.startswith("source,tensor,")
    assert done.err.count("tensors,") == 2
    grouped = records(weightscope("fit", model, odd, "--by", "role", "-i", "*mlp*").out)
    assert [(row["source"], row["role"], row["tensors"]) for row in grouped] == [
        (model, "mlp.down", "2"),
        (odd, "mlp.down", "2"),
    ]


def test_counts(weightscope, tmp_path):
    """Every cell of every tensor; they add up to its elements and hold each value."""
    path, cells = tmp_path / "m.safetensors", tmp_path / "cells.parquet"
    values = np.float16([[0.5, 0.5, -1], [2, 2, 2]])
    save_file({"a.w": values, "b.w": values.T.copy()}, path)
    done = weightscope("fit", path, "--counts", cells, "--columns", "tensor")
    assert done.out == "tensor\na.w\nb.w\n"
    table = pq.read_table(cells).to_pylist()
    assert [row["tensor"] for row in table] == ["a.w"] * 3 + ["b.w"] * 3
    assert [row["count"] for row in table[:3]] == [1, 2, 3]
    assert all(row["low"] < x < row["high"] for row, x in zip(table, [-1, 0.5, 2] * 2, strict=True))


def test_plot(weightscope, model, tmp_path):
    """A picture of what was selected; stdout still carries the report."""
    picture = tmp_path / "fit.svg"
    done = weightscope("fit", model, "--plot", picture, "--columns", "tensor", "-i", "*mlp*")
    assert done.out.splitlines() == ["tensor", *NAMES[1:3]]
    drawn = picture.read_text()
    assert "<svg" in drawn


@pytest.mark.usefixtures("measured_anew")
def test_provenance(weightscope, model, tmp_path):
    """Where the numbers come from, and what it took."""
    path = tmp_path / "about.json"
    assert weightscope("fit", model, "--provenance", path, "--seed", "3", "-i", "lm*").code == 0
    about = json.loads(path.read_text())
    assert about["command"] == "fit"
    assert about["options"]["include"] == ["lm*"]
    assert about["options"]["seed"] == 3
    assert about["sources"][0]["source"] == model
    assert about["sources"][0]["files"][0]["size"] == os.path.getsize(model)
    assert about["bytes_read"] == 40 * 32 * 4
    assert about["device"] == "cpu"
    assert about["device_reason"]
    assert about["libraries"]["torch"]
    assert about["seconds"] > 0
    assert about["created"]


@pytest.mark.usefixtures("measured_anew")
def test_notes_and_totals_go_to_stderr(weightscope, model):
    """--quiet silences them; --verbose adds the reason of every choice."""
    totals = (
        "4 tensors, 4,416 elements, 17.25 KiB: F32 17.25 KiB\nby role: mlp.down 2, head 1, norm 1\n"
    )
    assert weightscope("ls", model).err == totals
    assert weightscope("ls", model, "--quiet").err == ""
    said = weightscope("fit", model, "--verbose").err
    assert "cpu: " in said
    assert "48x32 F32" in said
    assert "llama" in said


@pytest.mark.parametrize("more", [(), ("--threads", "1"), ("--memory", "64MiB")], ids=" ".join)
def test_nonfinite_values_are_placed(weightscope, odd, more):
    """Row 128: counts and the first place, from 0.

    A grouped row has a tensor's place, not its own.
    """
    done = weightscope("fit", odd, "-i", "lm_head*", "--columns", "nan,inf,note", *more)
    assert (done.code, done.err) == (0, "")
    said = "1 NaN at row 3, column 4: statistics of the finite values"
    assert records(done.out) == [{"nan": "1", "inf": "0", "note": said}]
    grouped = weightscope(
        "fit", odd, "-i", "lm_head*", "--columns", "nan,note", "--by", "role", *more
    )
    own = "1 NaN: statistics of the finite values"
    assert records(grouped.out) == [
        {"nan": "1", "note": f"{own}; 1 of 1 tensors noted: lm_head.weight: {said}"}
    ]


def test_boolean_bytes_beside_0_and_1_are_said(weightscope, tmp_path):
    """Row 43: measured as true, with a note on the row; a gate may ask for it."""
    path, words = tmp_path / "mask.safetensors", bytes([0, 1, 2, 255, 1, 7])
    about = {"h.0.w": {"dtype": "BOOL", "shape": [2, 3], "data_offsets": [0, 6]}}
    header = json.dumps(about).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + words)
    done = weightscope(
        "fit", path, "--columns", "zeros,max,distinct,note", "--fail-if", "not isnull(note)"
    )
    assert done.code == 1
    (row,) = records(done.out)
    assert (row["zeros"], row["max"], row["distinct"]) == ("1", "1.0", "2")
    assert "3 BOOL bytes are neither 0 nor 1: counted as true" in row["note"]


def test_device(weightscope, model):
    """A device that is not there is wrong usage; the CPU is always there."""
    assert weightscope("fit", model, "--device", "cpu").code == 0
    done = weightscope("fit", model, "--device", "cuda:99")
    assert done.code == 2
    assert "cuda:99" in done.err


def test_metadata(weightscope, tmp_path):
    """Keys, lengths and the beginning of the values."""
    path = tmp_path / "m.safetensors"
    save_file({"w": np.ones(2, np.float32)}, path, metadata={"format": "pt", "long": "x" * 300})
    found = records(weightscope("ls", path, "--metadata").out)
    assert [(row["key"], row["length"], len(row["value"])) for row in found] == [
        ("format", "2", 2),
        ("long", "300", 200),
    ]


def test_seed_changes_the_shuffle_alone(weightscope, model):
    """The null is drawn with it, everything else stays."""
    columns = ("--balance", "--columns", "beta,balanced_beta,balanced_beta_null", "-i", "lm*")
    first, second = (
        records(weightscope("fit", model, *columns, "--seed", str(s)).out)[0] for s in (0, 1)
    )
    assert first["balanced_beta"] == second["balanced_beta"]
    assert first["balanced_beta_null"] != second["balanced_beta_null"]


def test_cells_of_nothing_are_a_table_of_no_lines(weightscope, tmp_path):
    """A model without a measurable tensor still gives its file; an empty name is none."""
    path, cells = tmp_path / "m.safetensors", tmp_path / "cells.csv"
    header = b'{"w":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    assert weightscope("fit", path, "--counts", cells).code == 0
    assert cells.read_text() == "tensor,low,high,count\n"
    assert weightscope("fit", path, "--counts", "").code == 2
