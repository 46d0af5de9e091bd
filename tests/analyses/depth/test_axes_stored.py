"""The depth axes of layers that are stored in different ways: shared, fused, adapted, normed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import weightscope as ws
from tests.analyses.depth.networks import (
    DOWN,
    SQUARE,
    UP,
    VECTOR,
    followed,
    matrices,
    repeated,
    tensors,
    under,
)

LAYER = "model.layers.{}."
Q = "model.layers.{}.self_attn.q_proj.weight"


def test_one_layer_for_all_depths() -> None:
    """ALBERT has one physical layer: one point, without a line, with a note."""
    layer = {
        **{f"attention.{word}.weight": SQUARE for word in ("query", "key", "value", "dense")},
        "ffn.weight": UP,
        "ffn_output.weight": DOWN,
        "full_layer_layer_norm.weight": VECTOR,
    }
    model = tensors(under("albert.encoder.albert_layer_groups.0.albert_layers.0.", layer))
    roles = ("attn.q", "attn.k", "attn.v", "attn.o", "mlp.up", "mlp.down")
    assert matrices(model) == dict.fromkeys(roles, "0")
    for row in ws.depth(model, stat="std", panels=False).rows:
        assert (row["layers"], row["slope"], row["first"], row["trend"]) == (1, None, None, None)
        assert row["note"].startswith("1 layer, a line needs 3")


@pytest.fixture(params=["memory", "pt"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    """Layers 2 and 4 are layer 1 again, in memory or in a file of torch."""
    model = tensors(repeated(LAYER, range(6), {"self_attn.q_proj.weight": (8, 8)}))
    model |= tensors(repeated(LAYER, range(6), {"self_attn.k_proj.weight": (4, 8)}))
    model[Q.format(2)] = model[Q.format(4)] = model[Q.format(1)]
    model["lm_head.weight"] = model["model.embed_tokens.weight"] = torch.ones(9, 8)
    if request.param == "memory":
        return model
    torch.save(model, tmp_path / "model.pt")
    return tmp_path / "model.pt"


def test_shared_layers_are_counted_once(shared: object) -> None:
    """Layers of one storage are one point; the note states whose tensor they have."""
    assert matrices(shared) == {"attn.k": "0-5", "attn.q": "0-1,3,5"}
    k, q = ws.depth(shared, stat="std", panels=False).rows
    assert (k["note"], q["layers"]) == (None, 4)
    assert q["note"] == "4 layers, a trend needs 5; layers 2,4 stored as layer 1: counted once"
    assert q["note_codes"] == "few-layers,shared-layers"


def test_a_selection_applies_to_shared_layers(shared: object) -> None:
    """The note names the selected layers alone."""
    _, q = ws.depth(shared, stat="std", panels=False, layers="0-3").rows
    assert q["note"].endswith("; layer 2 stored as layer 1: counted once")


@pytest.mark.parametrize(
    ("fused", "apart"),
    [
        ("model.layers.{}.self_attn.qkv_proj.weight", "model.layers.{}.self_attn."),
        ("h.{}.attn.c_attn.weight", "h.{}.attn."),
    ],
)
def test_fused_in_some_layers(fused: str, apart: str) -> None:
    """q, k and v of fused layers continue those of layers that store them apart."""
    separate = {f"{word}_proj.weight": SQUARE for word in "qkv"}
    shapes = repeated(apart, range(5), {"o_proj.weight": SQUARE})
    shapes |= repeated(fused, range(2), {"": (12, 4)}) | repeated(apart, range(2, 5), separate)
    roles = ("attn.q", "attn.k", "attn.v", "attn.o")
    assert matrices(tensors(shapes)) == dict.fromkeys(roles, "0-4")


def test_gate_and_up_fused_in_some_layers() -> None:
    """The same for gate_up_proj."""
    apart = {"mlp.gate_proj.weight": UP, "mlp.up_proj.weight": UP}
    shapes = repeated(LAYER, range(2), {"mlp.gate_up_proj.weight": (12, 4)})
    shapes |= repeated(LAYER, range(2, 5), apart)
    assert matrices(tensors(shapes)) == {"mlp.gate": "0-4", "mlp.up": "0-4"}


def test_adapters() -> None:
    """PEFT: each update is a series of its own beside that of its weight."""
    factors = {"lora_A.weight": (2, 4), "lora_B.weight": (4, 2)}
    before = "base_model.model.model.layers.{}.self_attn."
    alone = repeated(before, range(3), under("q_proj.", factors))
    assert matrices(tensors(alone)) == {"attn.q[lora]": "0-2"}
    named = {"lora_A.default.weight": (2, 4), "lora_B.default.weight": (4, 2)}
    merged = under("q_proj.", named | {"base_layer.weight": SQUARE})
    shapes = repeated(before, range(3), merged | {"k_proj.weight": SQUARE})
    assert matrices(tensors(shapes)) == {
        "attn.q": "0-2",
        "attn.q[lora]": "0-2",
        "attn.k": "0-2",
    }


def test_weight_norm() -> None:
    """g v/|v| in both spellings is the kernel of its layer, as a plain one is."""
    old = {"conv.weight_g": (4, 1, 1), "conv.weight_v": (4, 4, 3)}
    new = {
        "conv.parametrizations.weight.original0": (4, 1, 1),
        "conv.parametrizations.weight.original1": (4, 4, 3),
    }
    shapes = repeated("encoder.layers.{}.", range(2), old)
    shapes |= repeated("encoder.layers.{}.", range(2, 4), new)
    shapes |= repeated("encoder.layers.{}.", range(4, 6), {"conv.weight": (4, 4, 3)})
    assert followed(tensors(shapes)) == {"conv[conv]": "0-5"}


def test_heads_stored_apart_are_one_series() -> None:
    """TransformerLens stacks heads: the median over them is no median over experts."""
    heads = {"attn.W_Q": (2, 4, 2), "attn.W_O": (2, 2, 4), "mlp.W_in": (4, 6)}
    model = tensors(repeated("blocks.{}.", range(3), heads))
    assert matrices(model) == {"attn.q": "0-2", "attn.o": "0-2", "mlp.up": "0-2"}
    notes = {row["role"]: row["note"] for row in ws.depth(model, stat="std", panels=False).rows}
    assert notes["attn.q"].endswith("median over 2 parts of a layer")
    assert "median" not in notes["mlp.up"]
