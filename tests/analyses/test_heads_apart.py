"""TransformerLens: heads stored in stacks are read as (out, in) matrices, against numpy."""

from __future__ import annotations

import numpy as np
import torch

import weightscope as ws


def test_each_head_is_a_matrix() -> None:
    """Rows of q are what it writes and columns what it reads; of o the other way about."""
    torch.manual_seed(0)
    model = {
        "blocks.0.attn.W_Q": torch.randn(3, 8, 4),
        "blocks.0.attn.W_O": torch.randn(3, 4, 8),
        "blocks.0.attn.b_Q": torch.randn(3, 4),
        "blocks.0.mlp.W_in": torch.randn(8, 32),
    }
    rows = {row["tensor"]: row for row in ws.spectrum(model, panels=False).rows}
    for head in range(3):
        q, o = rows[f"blocks.0.attn.W_Q[{head}]"], rows[f"blocks.0.attn.W_O[{head}]"]
        assert (q["m"], q["n"], q["part"], q["role"]) == (4, 8, str(head), "attn.q")
        assert (o["m"], o["n"], o["part"], o["role"]) == (8, 4, str(head), "attn.o")
        largest = np.linalg.svd(model["blocks.0.attn.W_Q"][head].numpy(), compute_uv=False)[0]
        assert abs(q["sigma_max"] / largest - 1) < 1e-5
    assert (rows["blocks.0.mlp.W_in"]["m"], rows["blocks.0.mlp.W_in"]["n"]) == (32, 8)


def test_one_vector_of_a_stack_of_biases() -> None:
    """The bias of each head is a vector of its own."""
    bias = torch.arange(12.0).reshape(3, 4)
    rows = ws.fit({"blocks.0.attn.b_Q": bias}, panels=False).rows
    assert [(row["part"], row["role"], row["mean"]) for row in rows] == [
        ("0", "attn.q.bias", 1.5),
        ("1", "attn.q.bias", 5.5),
        ("2", "attn.q.bias", 9.5),
    ]


def test_a_head_stored_apart_is_not_cut_again() -> None:
    """`--per-head` leaves the heads of a stack as they are."""
    model = {"blocks.0.attn.W_Q": torch.randn(2, 8, 4)}
    plain, again = (ws.spectrum(model, panels=False, per_head=cut).rows for cut in (False, True))
    assert [(row["tensor"], row["note"]) for row in plain] == [
        (row["tensor"], row["note"]) for row in again
    ]


def test_an_expert_stored_apart_keeps_its_name() -> None:
    """Its number is its part; only parts of a fused tensor are named behind the stored name."""
    name = "model.layers.0.mlp.experts.{}.{}_proj.weight"
    model = {name.format(e, w): torch.randn(8, 8) for e in (0, 7) for w in ("gate", "up")}
    rows = ws.fit(model, panels=False).rows
    assert {row["tensor"]: row["part"] for row in rows} == {
        name.format(e, w): str(e) for e in (0, 7) for w in ("gate", "up")
    }


def test_an_adapter_beside_its_weight() -> None:
    """The update of a weight has the slot `lora`: both have different places and the same role."""
    factors = {"q_proj.lora_A.weight": torch.randn(2, 8), "q_proj.lora_B.weight": torch.randn(8, 2)}
    layer = "base_model.model.model.layers.0.self_attn."
    model = {
        layer + "q_proj.base_layer.weight": torch.randn(8, 8),
        **{layer + n: t for n, t in factors.items()},
    }
    rows = ws.fit(model, panels=False).rows
    assert [(row["role"], row["slot"]) for row in rows] == [("attn.q", None), ("attn.q", "lora")]
    (row,) = ws.fit({n.replace("q_proj", "odd"): t for n, t in factors.items()}, panels=False).rows
    assert (row["role"], row["slot"]) == ("lora", "odd.lora")
