"""`weightscope outliers` from the command line: gates, refusals, rows, lists and the total."""

from __future__ import annotations

import csv
import io
import json
import sys

import numpy as np
import pytest

EMBED = "model.embed_tokens.weight"
Q = "model.layers.0.self_attn.q_proj.weight"
K = "model.layers.0.self_attn.k_proj.weight"
NORM = "model.norm.weight"


def drawn():
    """Tokens, two matrices and a vector, as they are drawn."""
    rng = np.random.default_rng(0)
    sizes = {EMBED: (120, 64), Q: (64, 64), K: (64, 64), NORM: (64,)}
    return {
        name: (0.02 * rng.standard_normal(size)).astype(np.float32) for name, size in sizes.items()
    }


@pytest.fixture
def clean(store):
    """Nothing stands out."""
    return store(drawn(), "clean.safetensors")


@pytest.fixture
def bad(store):
    """A NaN, two equal tokens, and a row of one sign."""
    tensors = drawn()
    tensors[Q][3, 5] = np.nan
    tensors[EMBED][[4, 90]] = tensors[EMBED][7]
    tensors[K][9] = np.abs(tensors[K][9])
    return store(tensors, "bad.safetensors")


def records(done):
    """The lines of a CSV."""
    return list(csv.DictReader(io.StringIO(done.out)))


def test_every_tensor_is_a_line_in_a_pipe(weightscope, bad, clean):
    """In natural order, whatever was found; the total is on stderr, and not where it is quiet."""
    done = weightscope("outliers", bad)
    assert done.code == 0
    found = {row["tensor"]: (row["severity"], row["findings"]) for row in records(done)}
    assert list(found) == [EMBED, K, Q, NORM]
    assert found == {
        EMBED: ("warn", "WS121"),
        K: ("info", "WS163"),
        Q: ("error", "WS101"),
        NORM: ("", ""),
    }
    assert done.err == "4 tensors: 1 error, 1 warning\n"
    assert weightscope("outliers", bad, "-q").err == ""
    assert weightscope("outliers", clean).err == "4 tensors: 0 errors, 0 warnings\n"


@pytest.mark.parametrize(
    ("gates", "matched"),
    [
        (["nan + inf > 0"], [Q]),
        (['severity == "error"'], [Q]),
        (["severity_rank >= 2"], [EMBED, Q]),
        (["nan + inf > 0", 'duplicate_rows > 0 and role == "embed"'], [EMBED, Q]),
        (['"WS163" in findings'], [K]),
        (["untrained_rows > 0"], [EMBED]),
        (["sqnr_int4_g128_db < 15"], []),
        (["sqnr_int4_g128_db < 90"], [EMBED, K, Q, NORM]),
    ],
)
def test_gates(weightscope, bad, clean, gates, matched):
    """1 where a row matches, which is named, whatever is shown or asked for.

    0 for a clean model.
    """
    asked = ["--quant", "int4_g128"] if "sqnr" in gates[0] else []
    options = [*asked, *(x for gate in gates for x in ("--fail-if", gate))]
    for more in ([], ["-q"], ["--columns", "tensor"], ["--limit", "1", "--where", "nan > 5"]):
        done = weightscope("outliers", bad, *options, *more)
        assert done.code == bool(matched), more
        assert [name for name in (EMBED, K, Q, NORM) if name in done.err] == matched
    if "sqnr" not in gates[0]:
        assert weightscope("outliers", clean, *options).code == 0


def test_ignored_findings_do_not_gate(weightscope, bad):
    """A severity is of what is left."""
    gate = ["--fail-if", 'severity == "error"']
    assert weightscope("outliers", bad, *gate).code == 1
    done = weightscope("outliers", bad, *gate, "--ignore", "WS101, WS163")
    assert done.code == 0
    assert {row["tensor"]: row["findings"] for row in records(done)} == {
        EMBED: "WS121",
        K: "",
        Q: "",
        NORM: "",
    }


def test_a_base_from_the_command_line(weightscope, clean, store):
    """Few changed rows of an embedding are an error; the base alone is none."""
    tensors = drawn()
    tensors[EMBED][[4, 50, 90]] = 0.03 * np.tile([1, -1], 32)
    gate = ["--fail-if", 'severity == "error"', "--base", clean]
    assert weightscope("outliers", store(tensors), *gate).code == 1
    assert weightscope("outliers", clean, *gate).code == 0


def test_lists(weightscope, bad):
    """One line a weight or a row and no total; a gate may ask for their columns."""
    done = weightscope("outliers", bad, "--top", "3", "--fail-if", "abs(z) > 40")
    assert (done.code, done.err) == (0, "")
    assert [list(row) for row in records(done)] == [["tensor", "row", "col", "value", "z"]] * 3
    rows = records(weightscope("outliers", bad, "--top-rows", "2"))
    assert [list(row) for row in rows] == [["tensor", "row", "rms", "z"]] * 2


def test_groups_and_formats(weightscope, bad):
    """The gravest of each role; nulls of JSON."""
    found = json.loads(weightscope("outliers", bad, "--by", "role", "-f", "json").out)
    assert {row["role"]: row["severity"] for row in found} == {
        "embed": "warn", "attn.k": "info", "attn.q": "error", "norm": None,
    }  # fmt: skip


def test_no_total_where_nothing_was_judged(weightscope, bad):
    """A run for two columns does not say that there are no errors."""
    done = weightscope("outliers", bad, "--columns", "tensor,max_z")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--quant", "int5"], "--quant takes int8, int4_g128, "),
        (["--quant", ""], "or all; found ''; separate several by commas"),
        (["--quant", "int8,,nvfp4"], "or all; found ''; separate several by commas"),
        (["--ignore", "WS1"],
         "--ignore takes the id of a finding, WS101 to WS201; found 'WS1'; see the page"),
        (["--top", "0"], "Input should be greater than or equal to 1"),
        (["--top", "many"], "Input should be a valid integer"),
        (["--top-rows", "-2"], "Input should be greater than or equal to 1"),
        (["--top", "2", "--top-rows", "3"],
         "one of them at a time; found --top 2 and --top-rows 3; run the command twice"),
        (["--top", "2", "--by", "role"],
         "--top and --top-rows list weights and rows; found --by role; omit --by"),
        (["--by", "dtype"],
         "outliers groups by tensor, role, layer, model; found 'dtype'; choose one of them"),
        (["--fail-if", "sqnr_int4_g128_db < 15"],
         "found 'sqnr_int4_g128_db', which needs --quant; add --quant"),
        (["--quant", "int8", "--where", "rmse_mxfp4 > 0"],
         "found 'rmse_mxfp4', which needs --quant; add --quant"),
        (["--columns", "changed_rows"], "found 'changed_rows', which needs --base; add --base"),
        (["--sort", "value"], "found 'value', which needs --top; add --top"),
        (["--columns", "rms"], "found 'rms', which needs --top-rows; add --top-rows"),
        (["--columns", "nan_max"], "found 'nan_max', which needs --by role; add --by role"),
        (["--columns", "dead_rows", "--by", "role"],
         "found 'dead_rows', which needs --by tensor; add --by tensor"),
        (["--columns", "tensr"], "did you mean 'tensor'"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)  # fmt: skip
def test_wrong_usage_is_2(weightscope, clean, arguments, said):
    """Before anything is read: what was expected, what was found, what to do."""
    done = weightscope("outliers", clean, *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        ([], [Q, EMBED, K]),
        (["--limit", "2"], [Q, EMBED]),
        (["--ignore", "WS163"], [Q, EMBED]),
        (["--columns", "tensor,nan"], [EMBED, K, Q, NORM]),
        (["--quant", "int8"], [EMBED, K, Q, NORM]),
        (["--where", "nan < 9"], [EMBED, K, Q, NORM]),
        (["--sort", "tensor"], [EMBED, K, Q, NORM]),
        (["--plot", "tails.svg"], [Q, EMBED, K, NORM]),
    ],
    ids=lambda x: " ".join(x) if x and x[0][0] == "-" else "",
)
def test_a_question_of_ones_own_shows_every_row(
    weightscope, monkeypatch, bad, tmp_path, asked, order
):
    """In the order of the checkpoint.

    Else a terminal has those with findings, a picture all, the worst first.
    """
    monkeypatch.chdir(tmp_path)
    for module in ("ending", "command"):
        monkeypatch.setattr(
            sys.modules[f"weightscope.cli.{module}"], "prints_table", lambda shared: True
        )
    done = weightscope("outliers", bad, *asked)
    assert (done.code, [row["tensor"] for row in records(done)]) == (0, order)
    assert ("not listed" in done.err) == (len(order) < 4)


def test_the_total_counts_in_words(weightscope, store):
    """One is one, none and several are many."""
    tensors = drawn()
    tensors[Q][3, 5] = tensors[K][3, 5] = np.nan
    assert weightscope("outliers", store(tensors)).err == "4 tensors: 2 errors, 0 warnings\n"
    assert (
        weightscope("outliers", store(tensors), "--include", Q).err
        == "1 tensor: 1 error, 0 warnings\n"
    )
    tensors[EMBED][[4, 90]] = tensors[EMBED][7]
    assert weightscope("outliers", store(tensors)).err == "4 tensors: 2 errors, 1 warning\n"


def test_a_base_that_is_not_there_is_3(weightscope, clean, tmp_path):
    """As any source."""
    done = weightscope("outliers", clean, "--base", tmp_path / "none.safetensors")
    assert done.code == 3
    assert "none.safetensors: expected an existing file" in done.err


def test_a_list_has_no_picture(weightscope, clean, tmp_path):
    """Said before anything is read."""
    done = weightscope("outliers", clean, "--top", "3", "--plot", tmp_path / "x.png")
    assert done.code == 2
    assert "a list has no picture" in done.err
    assert not (tmp_path / "x.png").exists()
