"""`weightscope spectrum` from the command line: exit codes, refusals, files, rows and pipes."""

from __future__ import annotations

import csv
import io
import json
import os

import numpy as np
import pyarrow.parquet as pq
import pytest

NAMES = [
    "lm_head.weight",
    "model.layers.2.mlp.down_proj.weight",
    "model.layers.10.mlp.down_proj.weight",
    "model.norm.weight",
]


def records(done):
    """The lines of a CSV."""
    assert done.code == 0, done.err
    return list(csv.DictReader(io.StringIO(done.out)))


@pytest.fixture
def planted(store):
    """Two matrices of noise, one of them with three directions above it."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((2, 96, 160))
    noise[1] += 0.4 * rng.standard_normal((96, 3)) @ rng.standard_normal((3, 160))
    return store({f"layers.{i}.mlp.up_proj.weight": noise[i].astype(np.float32) for i in (0, 1)})


def test_every_tensor_is_a_line_in_a_pipe(weightscope, model):
    """In natural order, vectors with their note; nothing on stderr.

    The same bytes whatever the resources.
    """
    done = weightscope("spectrum", model)
    assert [row["tensor"] for row in records(done)] == NAMES
    assert records(done)[-1]["note"] == "a vector: no spectrum"
    assert done.err == ""
    assert weightscope("spectrum", model, "--threads", "1", "--memory", "64MiB").out == done.out


def test_a_matrix_without_a_spectrum_is_4_under_strict(weightscope, odd):
    """A type without values and a NaN, each once, by tensor and by group.

    Rows of nulls with a reason otherwise.
    """
    done = weightscope("spectrum", odd, "--columns", "tensor,rank,note")
    rows = {row["tensor"]: row for row in records(done)}
    assert rows["lm_head.weight"]["note"] == "non-finite elements: no spectrum"
    assert "C64" in rows["z.phase"]["note"]
    assert (rows["lm_head.weight"]["rank"], rows["z.phase"]["rank"]) == ("", "")
    for more in (
        [],
        ["--by", "role"],
        ["--columns", "tensor,rank"],
        ["--columns", "tensor"],
        ["--columns", "m,shape"],
    ):
        strict = weightscope("spectrum", odd, "--strict", *more)
        assert strict.code == 4
        assert strict.err == "--strict: 2 tensors could not be measured: z.phase, lm_head.weight\n"


def test_vectors_and_buffers_do_not_count(weightscope, model, store):
    """There was nothing to measure: 0 under --strict."""
    assert weightscope("spectrum", model, "--strict").code == 0
    lack = {"a.bias": np.ones(9, np.complex64), "head.weight": np.ones((9, 1), np.float32)}
    lack |= {"rotary.inv_freq": np.ones(4, np.complex64), "attn.mask": np.ones((9, 9), bool)}
    done = weightscope("spectrum", store(lack), "--strict")
    assert (done.code, done.err) == (0, "")
    assert all(row["note"].endswith("no spectrum") for row in records(done))


def test_a_matrix_over_the_budget_is_4_under_strict(weightscope, store):
    """The row names the memory that it needs."""
    large = store(
        {"h.0.w": np.zeros((1200, 1200), np.float32), "h.1.w": np.eye(20, dtype=np.float32)}
    )
    done = weightscope("spectrum", large, "--strict", "--memory", "40MiB", "--columns", "rank,note")
    assert done.code == 4
    assert "MiB of memory, has 40: use --memory " in done.out
    assert done.err == "--strict: 1 tensor could not be measured: h.0.w\n"


def test_gates(weightscope, planted, odd):
    """1 where a row matches, 4 before it; a null matches nothing but isnull."""
    assert weightscope("spectrum", planted, "--fail-if", "spikes > 3").code == 0
    done = weightscope(
        "spectrum", planted, "--fail-if", "spikes > 2 and effective_depth < 64", "-q"
    )
    assert done.code == 1
    assert "layers.1.mlp.up_proj.weight" in done.err
    assert weightscope("spectrum", odd, "-i", "lm*", "--fail-if", "spikes >= 0", "-q").code == 0
    assert weightscope("spectrum", odd, "-i", "lm*", "--fail-if", "isnull(spikes)").code == 1
    assert (
        weightscope("spectrum", odd, "-i", "lm*", "--fail-if", "isnull(spikes)", "--strict").code
        == 4
    )


def test_where_and_sort(weightscope, planted):
    """Only what has spikes; the steepest tail first."""
    done = weightscope(
        "spectrum", planted, "--where", "spikes > 0", "--sort=-alpha", "--columns", "tensor,spikes"
    )
    assert done.out == "tensor,spikes\nlayers.1.mlp.up_proj.weight,3\n"
    rows = records(weightscope("spectrum", planted, "--sort=-alpha_ks"))
    distances = [float(row["alpha_ks"]) for row in rows]
    assert len(distances) == 2
    assert distances == sorted(distances, reverse=True)


def test_a_tail_of_fewer_than_ten_values_meets_no_gate(weightscope, planted):
    """Its exponent is null: neither a gate nor a condition on alpha matches it."""
    noise = ("spectrum", planted, "-i", "layers.0.*")
    (row,) = records(weightscope(*noise, "--alpha-ci"))
    assert row["alpha_tail"] == "7"
    exponents = ("alpha", "alpha_sigma", "alpha_weighted", "log_alpha_norm", "alpha_low")
    assert {row[name] for name in exponents} == {""}
    assert float(row["alpha_ks"]) < 0.5
    assert weightscope(*noise, "--fail-if", "alpha > 0").code == 0
    assert weightscope(*noise, "--where", "alpha > 0", "--columns", "alpha").out == "alpha\n"


@pytest.mark.parametrize("columns", ["stable_rank", "spikes,tensor", "effective_depth,method"])
def test_asking_for_fewer_columns_changes_no_number(weightscope, model, columns):
    """What is not asked for is not measured; what is asked for is the same."""
    full = records(weightscope("spectrum", model))
    few = records(weightscope("spectrum", model, "--columns", columns))
    assert few == [{c: row[c] for c in columns.split(",")} for row in full]


WRONG = [
    (
        ["--null", "chance"],
        "--null takes shuffle, gaussian, logistic; found 'chance'; choose one of them",
    ),
    (["--null="], "--null takes shuffle, gaussian, logistic; found ''; choose one of them"),
    (
        ["--draws", "0"],
        "--draws takes a number from 1 on, beside --null; found 0 without --null; use --null",
    ),
    (["--draws", "5"], "found 5 without --null; use --null shuffle --draws 20"),
    (["--draws", "-3", "--null", "shuffle"], "found -3 with --null; use --null shuffle --draws 20"),
    (["--draws", "many"], "--draws"),
    (
        ["--alpha-cut=-1"],
        "--alpha-cut takes a number from 0 on; found -1.0; try 1e-5, or omit it",
    ),
    (
        ["--alpha-cut", "inf"],
        "--alpha-cut takes a number from 0 on; found inf; try 1e-5, or omit it",
    ),
    (["--alpha-cut", "low"], "--alpha-cut"),
    (
        ["--by", "dtype"],
        "spectrum groups by tensor, role, layer, model; found 'dtype'; choose one of them"
        " with --by",
    ),
    (["--values", "cells.xls"], "xls"),
    (["--values="], "expected a file ending in one of"),
    (["--values", "/nowhere/at/all.parquet"], "create it first"),
    (["--columns", "alpha_high"], "found 'alpha_high', which needs --alpha-ci; add --alpha-ci"),
    (
        ["--columns", "spikes_balanced"],
        "found 'spikes_balanced', which needs --balance; add --balance",
    ),
    (["--sort=-spikes_null"], "found 'spikes_null', which needs --null; add --null"),
    (["--where", "spikes_null_low > 1", "--null", "shuffle"], "which needs --draws; add --draws"),
    (["--fail-if", "rank_median < 2"], "which needs --by role"),
    (["--columns", "stabel_rank"], "did you mean 'stable_rank'?"),
    (["--counts", "c.csv"], "--counts"),
]


@pytest.mark.parametrize(
    ("arguments", "said"), WRONG, ids=lambda x: " ".join(x) if isinstance(x, list) else ""
)
def test_wrong_usage_is_2(weightscope, model, arguments, said, monkeypatch):
    """One line on stderr: what was expected, what was found, what to do.

    Nothing measured or written.
    """
    monkeypatch.chdir(os.path.dirname(model))
    done = weightscope("spectrum", model, *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert os.listdir() == ["model.safetensors"]


@pytest.mark.parametrize(
    "more", [[], ["--by", "role"], ["--columns", "tensor", "--where", "rank > 100"]], ids=" ".join
)
def test_values_are_written_beside_the_report(weightscope, model, tmp_path, more):
    """All singular values of every matrix, descending, whatever else is asked.

    Stdout still has the report.
    """
    path = tmp_path / "v.parquet"
    done = weightscope("spectrum", model, "--values", path, *more)
    assert done.code == 0
    assert done.out
    table = pq.read_table(path)
    assert table.column_names == ["tensor", "index", "value"]
    lines = table.to_pylist()
    assert [(line["tensor"], line["index"]) for line in lines] == [
        (n, i) for n in NAMES[:3] for i in range(32)
    ]
    found = np.array([line["value"] for line in lines]).reshape(3, 32)
    assert (np.diff(found) <= 0).all()
    assert found.max() == pytest.approx(0.02 * (np.sqrt(48) + np.sqrt(32)), rel=0.1)


def test_values_of_nothing_are_an_empty_table(weightscope, model, tmp_path):
    """A vector has none: a file with its columns and no line."""
    done = weightscope("spectrum", model, "-i", "model.norm*", "--values", tmp_path / "v.parquet")
    assert done.code == 0
    table = pq.read_table(tmp_path / "v.parquet")
    assert (table.column_names, table.num_rows) == (["tensor", "index", "value"], 0)


def test_values_are_written_whole_or_not_at_all(weightscope, model, tmp_path, monkeypatch):
    """A writer that fails leaves the old file as it was and nothing beside it."""
    target = tmp_path / "v.parquet"
    target.write_text("old")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    done = weightscope("spectrum", model, "--values", target)
    assert done.code == 3
    assert target.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["model.safetensors", "v.parquet"]


def test_a_picture_says_what_it_lacks(weightscope, model, tmp_path):
    """Drawn for the rows shown; of vectors alone a page that says that there is nothing."""
    picture = tmp_path / "p.svg"
    done = weightscope("spectrum", model, "--plot", picture, "--by", "role")
    assert (done.code, done.err) == (0, "no picture of model.norm.weight: a vector: no spectrum\n")
    assert "lm_head.weight" in picture.read_text()
    done = weightscope("spectrum", model, "--plot", picture, "-i", "*norm*")
    assert (done.code, done.err) == (0, "no picture of model.norm.weight: a vector: no spectrum\n")
    assert "nothing to draw" in picture.read_text()


def test_chance_is_drawn_with_the_seed(weightscope, model):
    """The nulls alone change with it."""
    asked = ("spectrum", model, "-i", "lm*", "--null", "shuffle", "--draws", "3")
    first, again, other = (
        records(weightscope(*asked, *more))[0] for more in ((), ("--seed", "0"), ("--seed", "1"))
    )
    assert first == again
    changed = {name for name in first if first[name] != other[name]}
    assert changed
    assert all("_null" in name or name.endswith("_score") for name in changed)


def test_options_reach_the_library(weightscope, model, tmp_path):
    """Each does what it says; provenance keeps them."""
    (row,) = records(weightscope("spectrum", model, "-i", "lm*", "--svd", "--balance"))
    assert (row["method"], row["spikes_balanced"]) == ("svd", "0")
    (row,) = records(weightscope("spectrum", "demo:gpt", "-i", "*1.mlp.up*", "--alpha-ci"))
    assert float(row["alpha_low"]) <= float(row["alpha"]) <= float(row["alpha_high"])
    (cut,) = records(weightscope("spectrum", model, "-i", "lm*", "--alpha-cut", "0.02"))
    assert float(cut["alpha_xmin"]) > 0.02
    about = tmp_path / "about.json"
    weightscope(
        "spectrum", model, "--null", "gaussian", "--draws", "2", "--per-head", "--provenance", about
    )
    options = json.loads(about.read_text())["options"]
    assert (options["null"], options["draws"], options["per_head"]) == ("gaussian", 2, True)


def test_formats_keep_nulls(weightscope, model):
    """JSON has null where a vector has no spectrum, CSV nothing."""
    rows = json.loads(weightscope("spectrum", model, "-f", "json").out)
    assert [row["rank"] for row in rows] == [32, 32, 32, None]
    assert type(rows[0]["rank"]) is int
    assert records(weightscope("spectrum", model))[-1]["rank"] == ""


def test_a_reader_that_goes_away_is_141(unread, model, tmp_path):
    """No word, no traceback, and the values are written all the same."""
    done = unread("spectrum", model, "--values", tmp_path / "v.csv")
    assert (done.code, done.err) == (141, "")
    assert (tmp_path / "v.csv").read_text().count("\n") == 1 + 3 * 32


def test_two_outputs_are_two_files(weightscope, tmp_path):
    """One would overwrite the other."""
    done = weightscope(
        "spectrum", "demo:gpt", "-o", tmp_path / "a.csv", "--values", tmp_path / "a.csv"
    )
    assert done.code == 2
    assert "twice; name another file" in done.err
    assert not (tmp_path / "a.csv").exists()
