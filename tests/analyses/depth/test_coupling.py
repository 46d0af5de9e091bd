"""Coupling: planted pairs, what is left out, calibration, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

import weightscope as ws
from tests.analyses.depth.coupled import (
    HIDDEN,
    LAYERS,
    WIDTH,
    by_pair,
    coupled,
    llama,
    name,
    pair,
    stored,
)
from weightscope.analyses.depth.coupling.pairs import count_of, pairs
from weightscope.analyses.depth.coupling.vectors import Line, Vector
from weightscope.errors import UsageError

META = {"num_attention_heads": 4, "num_key_value_heads": 2}


def test_a_shared_mean_is_first_and_above_its_family_point():
    """Row means of up that equal the column means of down in one layer; the others are noise."""
    model = llama()
    planted = torch.randn(HIDDEN, generator=torch.Generator().manual_seed(9))
    model[name("mlp.up", 2)] += planted[:, None]
    model[name("mlp.down", 2)] += planted
    report = coupled(model)
    row = report.rows[0]
    assert (row["a"], row["b"], row["of"]) == ("mlp.up.rows", "mlp.down.cols", "means")
    assert (row["index_set"], row["layers"], row["at_layer"]) == ("mlp_hidden", LAYERS, 2)
    assert row["max_rho"] > 0.9 > row["max_rho_family_95"]
    means = [model[name("mlp.up", i)].double().mean(1).numpy() for i in range(LAYERS)]
    others = [model[name("mlp.down", i)].double().mean(0).numpy() for i in range(LAYERS)]
    rho = [np.corrcoef(a, b)[0, 1] for a, b in zip(means, others, strict=True)]
    assert row["max_rho"] == pytest.approx(max(map(abs, rho)), abs=1e-6)
    assert row["median_rho"] == pytest.approx(np.median(rho), abs=1e-6)
    ratios = [one["max_rho"] / one["max_rho_null"] for one in report.rows]
    assert ratios == sorted(ratios, reverse=True)
    first = report.closing.splitlines()[0]
    assert first.startswith("means: ")
    assert "the family point; strongest: mlp.up.rows with mlp.down.cols 0.9" in first
    assert " of 30 pairs of matrices exceed" in first


def test_every_pair_of_an_index_set():
    """Residual 7 vectors, heads 4, hidden 3: 21 + 6 + 3 pairs of each kind."""
    model = llama(layers=1)
    rows = coupled(model).rows
    sets = [(row["of"], row["index_set"]) for row in rows]
    for of in ("means", "scales"):
        counts = [sets.count((of, index)) for index in ("residual", "heads", "mlp_hidden")]
        assert counts == [21, 6, 3]


def test_scales_without_means():
    """A scale on rows of up and columns of down: scales tie, means do not."""
    model = llama()
    generator = torch.Generator().manual_seed(9)
    scale = torch.exp(0.7 * torch.randn(HIDDEN, generator=generator))
    for i in range(LAYERS):
        model[name("mlp.up", i)] *= scale[:, None]
        model[name("mlp.down", i)] *= scale
    report = coupled(model)
    assert report.rows[0]["of"] == "scales"
    assert pair(report, "mlp.up.rows", "mlp.down.cols", "scales")["max_rho"] > 0.95
    assert pair(report, "mlp.up.rows", "mlp.down.cols", "means")["max_rho"] < 0.7
    alone = coupled(model, of="scales")
    assert {row["of"] for row in alone.rows} == {"scales"}
    row, both = alone.rows[0], report.rows[0]
    assert row["max_rho"] == both["max_rho"]
    assert row["max_rho_family_95"] < both["max_rho_family_95"]


def test_gains_and_biases_are_in_both():
    """They pair with means, with scales and with each other; a constant gain makes no pair."""
    model = llama(layers=1)
    prefix = "model.layers.0."
    model[f"{prefix}input_layernorm.weight"] = torch.ones(WIDTH)
    model[f"{prefix}post_attention_layernorm.weight"] = torch.rand(WIDTH)
    model[f"{prefix}mlp.down_proj.bias"] = torch.rand(WIDTH)
    report = coupled(model)
    found = by_pair(report.rows)
    assert not [row for row in report.rows if "norm[attn]" in row["a"] + row["b"]]
    for of in ("means", "scales"):
        row = found["norm[mlp].gain", "mlp.down.bias", of]
        gain = model[f"{prefix}post_attention_layernorm.weight"].numpy()
        bias = model[f"{prefix}mlp.down_proj.bias"].numpy()
        assert row["max_rho"] == pytest.approx(abs(np.corrcoef(gain, bias)[0, 1]), abs=1e-6)
        assert ("norm[mlp].gain", "mlp.up.cols", of) in found
    assert " of 30 pairs of matrices and " in report.closing
    assert " of 15 with gains or biases exceed" in report.closing
    # 2 x 30 of matrices, 2 x 7 with each vector twice, once the two vectors
    family = found["norm[mlp].gain", "mlp.down.bias", "means"]["max_rho_family_95"]
    assert family == pytest.approx(_point(60 + 28 + 1) / WIDTH**0.5, rel=1e-9)


def _point(count):
    return stats.norm.ppf((1 + 0.95 ** (1 / count)) / 2)


def test_a_bias_of_keys_that_softmax_removes():
    """With a table of positions it is left out with the reason; without one it has pairs."""
    model = llama(layers=1)
    model["model.layers.0.self_attn.k_proj.bias"] = torch.rand(WIDTH)
    assert "attn.k.bias" in str([row["b"] for row in coupled(model).rows])
    model["model.embed_positions.weight"] = torch.rand(9, WIDTH)
    report = coupled(model)
    assert "attn.k.bias" not in str([(row["a"], row["b"]) for row in report.rows])
    assert "no pair with attn.k.bias: a bias of keys adds one number" in report.closing


def test_a_layer_that_cannot_be_read_is_a_gap():
    """The pair has the others, its note the layer; other pairs have none."""
    model = llama()
    model[name("mlp.up", 1)] = torch.empty(HIDDEN, WIDTH, device="meta")
    report = coupled(model)
    row = pair(report, "mlp.up.rows", "mlp.down.cols", "means")
    assert (row["layers"], row["note_codes"]) == (LAYERS - 1, "layers-left-out")
    assert row["note"] == "without layers 1: no data: a meta tensor"
    assert pair(report, "mlp.gate.rows", "mlp.down.cols", "means")["note"] is None


def test_dead_lines_and_constants():
    """Dead rows have no scale: the pair has the other positions; equal elements make no pair."""
    model = llama(layers=1)
    model[name("mlp.up", 0)][:8] = 0
    model[name("mlp.gate", 0)] = torch.ones(HIDDEN, WIDTH)
    report = coupled(model, of="scales")
    row = pair(report, "mlp.up.rows", "mlp.down.cols", "scales")
    assert row["max_rho_null_95"] == pytest.approx(1.959964 / (HIDDEN - 8) ** 0.5, rel=1e-5)
    assert "mlp.gate" not in str([row["a"] for row in report.rows])


def test_means_that_are_rounding_errors():
    """Rows that are centred have means of 1e-9: they make no pair, their columns do."""
    model = llama(layers=1)
    up = model[name("mlp.up", 0)]
    model[name("mlp.up", 0)] = up - up.double().mean(1, keepdim=True).float()
    vectors = {row[side] for row in coupled(model, of="means").rows for side in "ab"}
    assert "mlp.up.rows" not in vectors
    assert "mlp.up.cols" in vectors


def test_experts_pair_within_themselves():
    """Rows of an expert's up with the columns of the same expert's down; max_rho names it."""
    generator = torch.Generator().manual_seed(0)
    model = {}
    for e in range(3):
        prefix = f"model.layers.0.mlp.experts.{e}."
        up = torch.randn(HIDDEN, WIDTH, generator=generator)
        down = torch.randn(WIDTH, HIDDEN, generator=generator)
        if e == 1:
            down += 9 * up.mean(1)
        model |= {f"{prefix}up_proj.weight": up, f"{prefix}down_proj.weight": down}
    report = coupled(model, of="means")
    row = report.rows[0]
    assert (row["a"], row["b"]) == ("moe.expert.up.rows", "moe.expert.down.cols")
    assert row["note"] == "over the experts of a layer; max_rho is of 1"
    assert row["max_rho_null_95"] == pytest.approx(_point(3) / HIDDEN**0.5, rel=1e-9)
    assert len(report.rows) == 2


def test_several_models_have_their_own_rows():
    """With their name in `source`, and their own sentences."""
    report = ws.depth(
        llama(layers=1), llama(layers=1, seed=1), coupling=True, of="means", panels=False
    )
    assert len(report.rows) == 60
    assert all(row["source"] for row in report.rows)
    assert len(report.closing.splitlines()) == 2


def test_a_gate_names_the_pair():
    """Rows without a tensor or a role have the names of both vectors."""
    with pytest.raises(ws.GateFailed) as raised:
        coupled(llama(layers=1), of="means", fail_if="max_rho > 0")
    report = raised.value.report
    first = str(report.gates[0]).splitlines()[1]
    row = report.rows[0]
    assert first.startswith(f"  {row['a']} {row['b']} means  max_rho=")


# calibration


def test_independent_vectors_pass_as_often_as_stated():
    """Of 150 Gaussian models with grouped heads: 5% of pairs, at most 1 in 12 families."""
    rng = np.random.default_rng(0)
    beyond = total = families = 0
    for _ in range(150):
        found = pairs(_gaussian(rng), ("means",), META)
        count = count_of(found)
        largest = [abs(one.largest.rho) for one in found]
        total += len(found)
        passed = zip(largest, found, strict=True)
        beyond += sum(rho > one.point(len(one.correlations)) for rho, one in passed)
        families += any(rho > one.point(count) for rho, one in zip(largest, found, strict=True))
    assert 0.035 < beyond / total < 0.065
    assert families / 150 < 0.09


def _gaussian(rng):
    """Vectors of q, k, v and o in two layers, of two kv heads for four heads."""
    vectors = []
    for layer in range(2):
        for role, side, index_set, length in (
            ("attn.q", "rows", "heads", 32),
            ("attn.k", "rows", "kv_heads", 16),
            ("attn.v", "rows", "kv_heads", 16),
            ("attn.o", "cols", "heads", 32),
        ):
            line = Line(role, side, index_set, ("", "", ""))
            vectors.append(Vector(line, "", layer, "means", rng.standard_normal(length)))
    return vectors


# bad input


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"stat": "std"}, "found --stat beside it"),
        ({"per_layer": True, "spectrum": True}, "found --spectrum and --per-layer beside it"),
        ({"layer_map": True}, "found --layer-map beside it"),
        ({"of": "sums"}, "--of takes means or scales; found 'sums'"),
        ({"coupling": False, "of": "means"}, "found --of alone"),
    ],
)
def test_options_that_do_not_fit(options, words):
    """Refused before anything is opened."""
    with pytest.raises(UsageError, match=words):
        ws.depth("missing.safetensors", **{"coupling": True, **options})


def test_no_two_vectors_on_one_index_set():
    """The error names the roles; a row and a column of one matrix are on two sets."""
    model = {k: v for k, v in llama().items() if "up_proj" in k}
    with pytest.raises(UsageError, match=r"two vectors on one index set .* the roles mlp\.up; "):
        coupled(model)
    with pytest.raises(UsageError, match=r"found the roles mlp\.up"):
        coupled(llama(), role="mlp.up")


def test_orientation_that_is_unknown():
    """Rows may be columns: left out, and named with the reason."""
    model = llama(layers=1)
    generator = torch.Generator().manual_seed(1)
    stack = torch.randn(2, WIDTH, WIDTH, generator=generator)
    model["model.layers.0.mlp.experts.gate_up_proj"] = stack
    report = coupled(model)
    assert not [row for row in report.rows if "expert" in row["a"] + row["b"]]


def test_heads_that_are_unknown(tmp_path):
    """Without a config k and v pair with each other alone, and the note gives the reason."""
    report = coupled(llama(WIDTH // 2))
    row = pair(report, "attn.k.rows", "attn.v.rows", "scales")
    assert (row["index_set"], row["note_codes"]) == ("kv_heads", "heads-unknown")
    assert ("attn.v.rows", "attn.o.cols", "scales") not in by_pair(report.rows)
    known = coupled(stored(llama(WIDTH // 2), tmp_path, **META))
    row = pair(known, "attn.v.rows", "attn.o.cols", "scales")
    assert (row["index_set"], row["note"]) == ("heads", None)
    assert row["max_rho_null_95"] == pytest.approx(_point(LAYERS) / WIDTH**0.5, rel=1e-9)
