"""Codes of quantised layouts: a row with a note, no statistics or finding, never pooled."""

from __future__ import annotations

import pytest
import torch

import weightscope as ws
from weightscope.analyses.rows import TENSOR
from weightscope.checkpoints import open_checkpoint

Q = "model.layers.1.self_attn.q_proj"
IDENTITY = {c.name for c in TENSOR} | {"note", "note_codes"}
NF4 = "codes of bitsandbytes 4-bit: not decoded, no statistics"


@pytest.fixture
def state(draw):
    """An nf4 matrix with a LoRA pair on it, a matrix of floats, and two fused tensors of codes."""
    codes = lambda *dims: torch.randint(
        0, 100, dims, dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    return {
        f"{Q}.weight": codes(1024, 1),
        f"{Q}.weight.absmax": codes(64),
        f"{Q}.weight.quant_map": draw(16),
        f"{Q}.lora_A.weight": draw(4, 32),
        f"{Q}.lora_B.weight": draw(64, 4),
        "model.layers.0.self_attn.q_proj.weight": draw(64, 32),
        "transformer.h.0.attn.c_attn.qweight": codes(16, 96).view(torch.int32),
        "transformer.h.0.attn.c_attn.qzeros": codes(4, 12).view(torch.int32),
        "transformer.h.0.attn.c_attn.scales": draw(1, 96).half(),
        "transformer.h.0.attn.c_attn.bias": draw(96),
        "model.layers.0.mlp.experts.gate_up_proj_blocks": codes(2, 64, 2, 16),
        "model.layers.0.mlp.experts.gate_up_proj_scales": codes(2, 64, 2),
        "model.layers.0.mlp.experts.down_proj": codes(2, 32, 64).view(torch.float8_e4m3fn),
        "model.layers.0.mlp.experts.down_proj_scale_inv": draw(2, 1, 1),
    }


CODED = {
    f"{Q}.weight": ("attn.q", 1, NF4),
    "transformer.h.0.attn.c_attn.qweight": (
        "attn.qkv",
        0,
        "codes of GPTQ or AWQ: not decoded, no statistics",
    ),
    "model.layers.0.mlp.experts.gate_up_proj_blocks": (
        "moe.expert.gate_up",
        0,
        "codes of MXFP4: not decoded, no statistics",
    ),
    "model.layers.0.mlp.experts.down_proj": (
        "moe.expert.down",
        0,
        "codes of FP8 with block scales: not decoded, no statistics",
    ),
}


@pytest.mark.parametrize("name", ["ls", "fit", "outliers", "spectrum"])
def test_rows_of_codes(name, state, by_name):
    """One row per tensor of codes, fused or not, at the place of its weight: all nulls."""
    rows = by_name(getattr(ws, name)(state))
    assert {t for t, row in rows.items() if row["quantised"]} == set(CODED)
    for tensor, (role, layer, note) in CODED.items():
        row = rows[tensor]
        assert (row["role"], row["layer"], row["part"], row["note"]) == (role, layer, None, note)
        if name != "ls":
            measured = {column: value for column, value in row.items() if column not in IDENTITY}
            assert {value for column, value in measured.items() if column != "severity_rank"} == {
                None
            }


@pytest.mark.parametrize("options", [{"quant": "all"}, {"base": "self"}, {"by": "role"}])
def test_no_findings_on_codes(options, state):
    """Nothing is found where nothing was measured, with schemes, a base and groups neither."""
    options = {**options, **({"base": state} if "base" in options else {})}
    rows = ws.outliers(state, include=list(CODED), **options).rows
    assert rows
    assert {(row["severity"], row["findings"]) for row in rows} == {(None, None)}


def test_siblings_are_buffers(state, by_name):
    """Scales, zero points and tables of codes are readable buffers in the layer of their weight."""
    rows = by_name(ws.ls(state))
    found = {t: row["layer"] for t, row in rows.items() if row["kind"] == "buffer"}
    assert set(found) == {
        f"{Q}.weight.absmax",
        f"{Q}.weight.quant_map",
        "transformer.h.0.attn.c_attn.qzeros",
        "transformer.h.0.attn.c_attn.scales",
        "model.layers.0.mlp.experts.gate_up_proj_scales",
        "model.layers.0.mlp.experts.down_proj_scale_inv",
    }
    assert found[f"{Q}.weight.absmax"] == 1
    assert not found.keys() & by_name(ws.fit(state)).keys()
    tensors = {t.name: t for t in open_checkpoint(state).tensors}
    assert all(tensors[name].measurable and not tensors[name].notes for name in found)


def test_plain_words_are_buffers_beside_codes_alone(draw, by_name):
    """`scale`, `zero` and `codebooks` belong to weights of floats as well."""
    floats = {"a.W_q": draw(8, 8), "a.scale": draw(8), "a.zero": draw(8), "b.codebooks": draw(8, 8)}
    codes = {**floats, "a.W_q": torch.ones(8, 8, dtype=torch.uint8)}
    assert {t: r["kind"] for t, r in by_name(ws.ls(floats)).items() if r["kind"] == "buffer"} == {}
    assert {t for t, r in by_name(ws.ls(codes)).items() if r["kind"] == "buffer"} == {
        "a.scale",
        "a.zero",
    }


def test_parts_of_what_is_no_code(state, by_name):
    """Shapes of packed codes are ignored: the bias of a fused matrix is split as without them."""
    rows = by_name(ws.fit(state))
    assert {rows[f"transformer.h.0.attn.c_attn.bias[{part}]"]["params"] for part in "qkv"} == {32}


def test_a_pair_on_codes(state, by_name):
    """The product of a LoRA pair stands where the weight stands that the codes are of."""
    row = by_name(ws.fit(state))[f"{Q}[lora]"]
    assert (row["role"], row["layer"], row["quantised"]) == ("attn.q", 1, False)
    assert row["std"] is not None


def test_ties_and_codes(by_name):
    """An alias of codes is listed, coded as they are."""
    codes = torch.ones(8, 8, dtype=torch.int8)
    state = {"embed.weight": codes, "embed.weight_scale": torch.ones(8), "lm_head.weight": codes}
    rows = by_name(ws.ls(state))
    assert rows["lm_head.weight"]["alias_of"] == "embed.weight"
    assert rows["lm_head.weight"]["quantised"]


def test_groups_are_of_floats(state, by_name):
    """Pooled values are those of the floats alone, and the note counts what has codes."""
    only = {
        "model.layers.0.self_attn.q_proj.weight": state["model.layers.0.self_attn.q_proj.weight"]
    }
    of_q = lambda model: next(
        r for r in ws.fit(model, by="role", exclude="*lora*").rows if r["role"] == "attn.q"
    )
    both, alone = of_q(state), of_q(only)
    same = [
        name
        for name, value in alone.items()
        if name not in ("tensors", "params", "note") and value is not None
    ]
    assert "std_median" in same
    assert {name: both[name] for name in same} == {name: alone[name] for name in same}
    assert (both["tensors"], both["note"]) == (2, f"1 of 2 tensors noted: {Q}.weight: {NF4}")


def test_a_spectrum_is_lacking_for_matrices_alone(state):
    """Codes of a matrix, however packed, count as unmeasured; biases and scales do not."""
    assert set(ws.spectrum(state).unmeasured) == set(CODED)
    name = "model.layers.0.self_attn.q_proj.bias"
    bias = {f"{name}._data": torch.ones(64, dtype=torch.int8), f"{name}._scale": torch.ones(1)}
    assert [row["quantised"] for row in ws.spectrum(bias).rows] == [True, False]
    assert ws.spectrum(bias).unmeasured == ()


def test_heads_of_codes(state):
    """Codes have no heads: one row, and no statement about them."""
    rows = ws.spectrum(state, per_head=True, include=f"{Q}.weight").rows
    assert [row["note"] for row in rows] == [NF4]


def test_the_column_says_so():
    """`quantised` means how a tensor is stored."""
    column = next(c for c in TENSOR if c.name == "quantised")
    assert column.meaning == "stored as codes of a quantised layout, decoded or not"
