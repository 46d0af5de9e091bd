"""Coupling does not depend on how a model is stored: fused, transposed or with grouped heads."""

from __future__ import annotations

import pytest
import torch

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

KV = WIDTH // 2
HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2}
GPT2 = {"attn.q": 0, "attn.k": 1, "attn.v": 2}


def assert_equal(a, b):
    """The same pairs with the same numbers."""
    rows, others = by_pair(a.rows), by_pair(b.rows)
    assert rows.keys() == others.keys()
    for key, row in rows.items():
        other = others[key]
        for column in ("max_rho", "median_rho", "median_spearman", "max_rho_family_95"):
            assert row[column] == pytest.approx(other[column], abs=1e-5), (key, column)
        assert (row["at_layer"], row["index_set"]) == (other["at_layer"], other["index_set"])


def test_fused_and_grouped(tmp_path):
    """Phi-3: qkv and gate_up in one tensor each, with two kv heads."""
    apart = llama(KV)
    fused = {}
    for i in range(LAYERS):
        prefix = f"model.layers.{i}."
        qkv = [apart[name(role, i)] for role in ("attn.q", "attn.k", "attn.v")]
        gate_up = [apart[name(role, i)] for role in ("mlp.gate", "mlp.up")]
        fused |= {
            f"{prefix}self_attn.qkv_proj.weight": torch.cat(qkv),
            f"{prefix}mlp.gate_up_proj.weight": torch.cat(gate_up),
            name("attn.o", i): apart[name("attn.o", i)],
            name("mlp.down", i): apart[name("mlp.down", i)],
        }
    config = {**HEADS, "hidden_size": WIDTH}
    a = coupled(stored(apart, tmp_path / "apart", model_type="llama", **config))
    b = coupled(stored(fused, tmp_path / "fused", model_type="phi3", **config))
    assert {("attn.v.rows", "attn.o.cols", of) for of in ("means", "scales")} <= by_pair(
        b.rows
    ).keys()
    assert_equal(a, b)


def test_grouped_heads_equal_repeated_ones(tmp_path):
    """k and v with two kv heads, and the same with the rows of each head twice."""
    grouped = llama(KV, layers=2)
    whole = dict(grouped)
    for i in range(2):
        for role in ("attn.k", "attn.v"):
            heads = grouped[name(role, i)].reshape(2, KV // 2, WIDTH)
            whole[name(role, i)] = heads.repeat_interleave(2, 0).reshape(WIDTH, WIDTH)
    a = coupled(stored(grouped, tmp_path, **HEADS), of="means")
    b = coupled(whole, of="means")
    for x, y in (("attn.v.rows", "attn.o.cols"), ("attn.q.rows", "attn.k.rows")):
        one, other = pair(a, x, y, "means"), pair(b, x, y, "means")
        for column in ("max_rho", "median_rho", "max_rho_null", "index_set"):
            assert one[column] == pytest.approx(other[column], abs=1e-6)


def test_conv1d():
    """GPT-2 stores (in, out), with q, k and v beside each other."""
    apart = {k: v for k, v in llama(layers=2).items() if "gate" not in k}
    gpt2 = {}
    for i in range(2):
        prefix = f"transformer.h.{i}."
        qkv = [apart[name(role, i)] for role in GPT2]
        gpt2 |= {
            f"{prefix}attn.c_attn.weight": torch.cat(qkv).T.contiguous(),
            f"{prefix}attn.c_proj.weight": apart[name("attn.o", i)].T.contiguous(),
            f"{prefix}mlp.c_fc.weight": apart[name("mlp.up", i)].T.contiguous(),
            f"{prefix}mlp.c_proj.weight": apart[name("mlp.down", i)].T.contiguous(),
        }
    assert gpt2["transformer.h.0.mlp.c_fc.weight"].shape == (WIDTH, HIDDEN)
    assert_equal(coupled(apart), coupled(gpt2))


def test_a_swapped_kv_head_breaks_its_layer_alone(tmp_path):
    """Scales of v rows and o columns tie in all layers but the one with two heads exchanged."""
    model = llama(KV)
    generator = torch.Generator().manual_seed(3)
    for i in range(LAYERS):
        scale = torch.exp(torch.randn(KV, generator=generator))
        wide = scale.reshape(2, -1).repeat_interleave(2, 0).reshape(-1)
        if i == 2:
            scale = scale.roll(KV // 2)
        model[name("attn.v", i)] *= scale[:, None]
        model[name("attn.o", i)] *= wide
    folder = stored(model, tmp_path, **HEADS)
    for i in range(LAYERS):
        report = coupled(folder, of="scales", layers=i, role="attn.*")
        row = pair(report, "attn.v.rows", "attn.o.cols", "scales")
        if i == 2:
            assert row["max_rho"] < 0.6
        else:
            assert row["max_rho"] > 0.9
