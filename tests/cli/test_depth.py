"""`weightscope depth` on the command line: gates, exit codes, formats, damaged files, names."""

from __future__ import annotations

import json

import numpy as np
import pytest

Q = "model.layers.{}.self_attn.q_proj.weight"
OUT = "model.layers.{}.self_attn.o_proj.weight"


def layers(name, scales, seed=0):
    """A Gaussian matrix in each layer."""
    rng = np.random.default_rng(seed)
    return {
        name.format(i): (scale * rng.standard_normal((24, 16))).astype(np.float32)
        for i, scale in enumerate(scales)
    }


@pytest.fixture
def falling(store):
    """Ten layers of q whose std falls, and of o with one layer of thrice the std."""
    scales = [3.0 if i == 6 else 1.0 for i in range(10)]
    return store(layers(Q, [1 - 0.06 * i for i in range(10)]) | layers(OUT, scales, seed=2))


def test_a_gate_on_the_trend(weightscope, falling):
    """The row of the gate is named by its role and statistic."""
    gate = 'trend == "down"'
    done = weightscope("depth", falling, "--stat", "std,gain", "--fail-if", gate)
    assert done.code == 1
    assert done.err.splitlines() == [
        "std falls with depth: 1 of 1 readers (attn.q -71%), 0 of 1 writers",
        "gain falls with depth: 1 of 1 readers (attn.q -71%), 0 of 1 writers",
        f"gate '{gate}': 2 of 4 rows match",
        "  attn.q std  trend=down",
        "  attn.q gain  trend=down",
    ]
    rising = weightscope("depth", falling, "--stat", "std", "--fail-if", 'trend == "up"')
    assert rising.code == 0


def test_a_gate_on_outlier_layers(weightscope, falling):
    """--per-layer has a column that is true for these."""
    done = weightscope("depth", falling, "--stat", "std", "--per-layer", "--fail-if", "outlier")
    assert done.code == 1
    assert "gate 'outlier': 1 of 20 rows match\n  attn.o layer 6 std" in done.err
    header, *rows = done.out.splitlines()
    assert header == (
        "stack,role,slot,part,kind,layer,statistic,value,value_low,value_high,outlier,note"
    )
    assert len(rows) == 20
    assert [row.split(",")[5] for row in rows if row.endswith("true,")] == ["6"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--fail-if", "outlier"], "which needs --per-layer; add --per-layer"),
        (["--per-layer", "--fail-if", "trend == 'up'"], "which needs a run without --per-layer"),
        (["--per-layer", "--columns", "slope"], "a run without --per-layer"),
        (["--columns", "value"], "needs --per-layer"),
        (["--stat", "best"], "found 'best': it is text; --stat takes gain"),
        (["--stat", "std,kurtosi"], "did you mean 'kurtosis'"),
        (["--layers", "10-12"], "layers here: 0-9"),
    ],
)
def test_wrong_options(weightscope, falling, arguments, error):
    """Exit 2 with what was expected, before anything is measured."""
    done = weightscope("depth", falling, *arguments)
    assert (done.code, done.out) == (2, "")
    assert error in done.err


def test_no_layers_is_2(weightscope, store):
    """Names without a layer index exit with 2; with --fail-fast one model of several is enough."""
    plain = store({"fc1.weight": np.ones((4, 4), np.float32)}, "plain.safetensors")
    other = store(layers(Q, [1, 2, 3]))
    for models in ([plain], [other, plain, "--fail-fast"]):
        done = weightscope("depth", *models)
        assert (done.code, done.out) == (2, "")
        assert "plain.safetensors: expected names with a layer index" in done.err
        assert "found fc1.weight; describe the names with --name-map FILE.toml" in done.err


def test_a_layer_that_is_not_measured_is_4_under_strict(weightscope, store):
    """Without --strict it is a gap."""
    weights = layers(Q, [1, 2, 3, 4, 5, 6])
    weights[Q.format(2)] = np.ones((4, 4), np.complex64)
    path = store(weights)
    done = weightscope("depth", path, "--stat", "std")
    assert done.code == 0
    assert "1 of 6 layers has no value (2)" in done.out
    strict = weightscope("depth", path, "--stat", "std", "--strict")
    assert (strict.code, strict.out) == (4, done.out)
    assert f"--strict: 1 tensor could not be measured: {Q.format(2)}" in strict.err


def test_the_intact_layers_of_a_damaged_file(weightscope, falling):
    """--salvage follows the layers that are whole, and exits with 3."""
    with open(falling, "rb") as file:
        data = file.read()
    with open(falling, "wb") as file:
        file.write(data[: len(data) * 2 // 3])
    assert weightscope("depth", falling, "--stat", "std").code == 3
    done = weightscope("depth", falling, "--stat", "std", "--salvage", "-f", "json")
    assert done.code == 3
    assert "truncated" in done.err
    counts = {row["role"]: row["layers"] for row in json.loads(done.out)}
    assert min(counts.values()) > 0
    assert max(counts.values()) < 10


def test_hostile_sources_and_stacks_are_escaped_on_stderr(weightscope, store):
    """Neither the sentence nor the message of a gate has a control character."""
    weights = {}
    for stack in ("a\x1b]0;x\x07", "b"):
        weights |= layers(f"{stack}.layers.{{}}.self_attn.q_proj.weight", [1, 2, 3, 4, 5, 6])
    paths = [store(weights, "\x1b[31mx\n.safetensors"), store(weights)]
    done = weightscope("depth", *paths, "--stat", "std", "--fail-if", "layers == 6")
    assert done.code == 1
    assert not set(done.err) & {"\x1b", "\x07", "\r"}
    assert r"\x1b[31mx\n.safetensors: std rises with depth: 2 of 2 readers (" in done.err
    assert r"a\x1b]0;x\x07 attn.q" in done.err
    assert r"\x1b[31mx\n.safetensors a\x1b]0;x\x07 attn.q std  layers=6" in done.err


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "markdown", "table"])
def test_every_format(weightscope, falling, form):
    """Rows of a text without layers to spare: nulls, lists of layers, no control characters."""
    done = weightscope("depth", falling, "--stat", "std", "--columns", "all", "-f", form)
    assert done.code == 0
    assert "attn.q" in done.out
    assert "down" in done.out
    if form == "json":
        o, q = json.loads(done.out)
        assert (q["outlier_layers"], o["outlier_layers"], o["trend"]) == ("", "6", None)
        assert q["similarity_null"] == pytest.approx((24 * 16) ** -0.5)
