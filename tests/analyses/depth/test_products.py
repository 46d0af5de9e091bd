"""Products of consecutive matrices against numpy, heads of GQA, reasons; the L-infinity norm."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws

PRODUCT = "product_stable_rank"
LAYER = "model.layers.{}."
WIDTH, HIDDEN = 16, 24


def network(layers=3, heads=4, kv_heads=2, seed=0):
    """Gaussian v, o, up and down; heads of 4 rows."""
    rng = np.random.default_rng(seed)
    shapes = {
        "self_attn.q_proj": (4 * heads, WIDTH),
        "self_attn.v_proj": (4 * kv_heads, WIDTH),
        "self_attn.o_proj": (WIDTH, 4 * heads),
        "mlp.up_proj": (HIDDEN, WIDTH),
        "mlp.down_proj": (WIDTH, HIDDEN),
    }
    model = {}
    for layer in range(layers):
        for name, shape in shapes.items():
            matrix = torch.from_numpy(rng.standard_normal(shape)).float()
            model[f"{LAYER.format(layer)}{name}.weight"] = matrix
    return model


def saved(folder, model, **config):
    """A folder with the weights and its config.json."""
    folder.mkdir(exist_ok=True)
    save_file(model, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def matrix(model, layer, name):
    """One weight in float64."""
    return model[f"{LAYER.format(layer)}{name}.weight"].double().numpy()


def stable_rank(product):
    """By numpy.linalg."""
    return (np.linalg.norm(product) / np.linalg.norm(product, 2)) ** 2


def per_layer(path, role, **options):
    """The rows of one role, a row a layer."""
    options = {"stat": PRODUCT, "per_layer": True, "panels": False} | options
    return [row for row in ws.depth(path, **options).rows if row["role"] == role]


@pytest.mark.parametrize("kv_heads", [4, 2, 1])
def test_o_after_v_of_each_head(tmp_path, kv_heads):
    """Median, least and greatest over the heads, of which several read one v."""
    model = network(2, 4, kv_heads)
    config = {"num_attention_heads": 4, "num_key_value_heads": kv_heads}
    rows = per_layer(saved(tmp_path / "m", model, **config), "attn.o")
    for layer, row in enumerate(rows):
        o = matrix(model, layer, "self_attn.o_proj")
        v = matrix(model, layer, "self_attn.v_proj")
        ranks = []
        for head in range(4):
            start = head * kv_heads // 4 * 4
            ranks.append(stable_rank(o[:, 4 * head : 4 * head + 4] @ v[start : start + 4]))
        assert row["value"] == pytest.approx(np.median(ranks), rel=1e-9)
        assert row["value_low"] == pytest.approx(min(ranks), rel=1e-9)
        assert row["value_high"] == pytest.approx(max(ranks), rel=1e-9)
    assert len(rows) == 2


def test_down_after_up(tmp_path):
    """The product itself, without the activation: one value a layer, with a note."""
    model = network()
    path = saved(tmp_path / "m", model)
    rows = per_layer(path, "mlp.down")
    for layer, row in enumerate(rows):
        product = matrix(model, layer, "mlp.down_proj") @ matrix(model, layer, "mlp.up_proj")
        assert row["value"] == pytest.approx(stable_rank(product), rel=1e-5)
        assert row["value_low"] is None
    found = ws.depth(path, stat=PRODUCT, role="mlp.down", panels=False).rows
    assert [row["role"] for row in found] == ["mlp.down"]
    assert "linear-path" in found[0]["note_codes"]


def test_only_later_matrices_have_rows(tmp_path):
    """None of q, v and up; a selection of o finds the v that it leaves out."""
    path = saved(tmp_path / "m", network(), num_attention_heads=4, num_key_value_heads=2)
    report = ws.depth(path, stat=PRODUCT, panels=False)
    assert [row["role"] for row in report.rows] == ["mlp.down", "attn.o"]
    chosen = ws.depth(path, stat=PRODUCT, role="attn.o", panels=False)
    assert [row["first"] for row in chosen.rows] == [report.rows[1]["first"]]
    assert "median over 4 heads of a layer" in chosen.rows[0]["note"]


def test_a_product_that_is_not_measured_has_a_reason(tmp_path):
    """Heads are unknown, up is missing or narrower, an element is NaN, v is zero."""
    model = network(5)
    names = [f"{LAYER.format(i)}mlp.up_proj.weight" for i in range(3)]
    del model[names[0]]
    model[names[1]] = model[names[1]][:12].clone()
    model[names[2]][0, 0] = torch.nan
    model[f"{LAYER.format(4)}self_attn.v_proj.weight"].zero_()
    unknown = per_layer(saved(tmp_path / "a", model), "attn.o")
    assert unknown[0]["note"].startswith("heads unknown")
    config = {"num_attention_heads": 4, "num_key_value_heads": 2}
    path = saved(tmp_path / "b", model, **config)
    notes = [row["note"] for row in per_layer(path, "mlp.down")]
    assert notes[0] == "no matrix before it in its layer: no product"
    assert notes[1] == "24 inputs after 12 outputs: no product"
    assert notes[2] == "NaN or Inf in one of both matrices: no product"
    assert notes[3] is None
    assert per_layer(path, "attn.o")[4]["note"] == "zero matrix"
    wrong = saved(tmp_path / "c", model, num_attention_heads=8, num_key_value_heads=2)
    assert per_layer(wrong, "attn.o")[0]["note"].startswith("heads unknown: 16 inputs of 8 heads")


def test_experts_compose_with_the_expert_of_their_number(tmp_path):
    """down of expert 1 after up of expert 1, not of expert 0."""
    rng = np.random.default_rng(1)
    name = LAYER + "block_sparse_moe.experts.{}.{}.weight"
    model = {}
    ranks = []
    for expert in range(2):
        up = rng.standard_normal((HIDDEN, WIDTH))
        down = rng.standard_normal((WIDTH, HIDDEN))
        model[name.format(0, expert, "w3")] = torch.from_numpy(up).float()
        model[name.format(0, expert, "w2")] = torch.from_numpy(down).float()
        ranks.append(stable_rank(down @ up))
    (row,) = per_layer(saved(tmp_path / "m", model), "moe.expert.down")
    assert row["value_low"] == pytest.approx(min(ranks), rel=1e-5)
    assert row["value_high"] == pytest.approx(max(ranks), rel=1e-5)


def test_the_largest_row_sum():
    """numpy.linalg.norm(W, inf) of each layer; null with NaN, and of vectors."""
    model = network(4)
    model[f"{LAYER.format(3)}mlp.up_proj.weight"][0, 0] = torch.inf
    model |= {f"{LAYER.format(i)}input_layernorm.weight": torch.ones(WIDTH) for i in range(4)}
    rows = per_layer(model, "mlp.up", stat="norm_inf")
    for layer, row in enumerate(rows[:3]):
        expected = np.linalg.norm(matrix(model, layer, "mlp.up_proj"), np.inf)
        assert row["value"] == pytest.approx(expected, rel=1e-6)
    assert rows[3]["value"] is None
    assert rows[3]["note"] == "NaN, Inf, or a sum of a row that overflows: no norm_inf"
    (norm, *_) = per_layer(model, "norm", stat="norm_inf")
    assert (norm["value"], norm["note"]) == (None, "a vector: element statistics only")


def test_both_are_added_by_spectrum(tmp_path):
    """Beside other statistics, each of which keeps its values."""
    path = saved(tmp_path / "m", network(), num_attention_heads=4, num_key_value_heads=2)
    alone = ws.depth(path, stat=("stable_rank", "std"), panels=False).rows
    rows = ws.depth(path, stat="std", spectrum=True, panels=False).rows
    statistics = [row["statistic"] for row in rows]
    assert statistics.count("norm_inf") == 5
    assert statistics.count(PRODUCT) == 2
    kept = {(row["role"], row["statistic"]): row["first"] for row in rows}
    for row in alone:
        assert kept[row["role"], row["statistic"]] == row["first"]
