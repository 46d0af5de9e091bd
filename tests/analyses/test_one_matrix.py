"""Pairs of tensors that are one matrix: products of factors of every spelling, against numpy."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws

STEM = "base_model.model.model.layers.1.self_attn.q_proj"
COLUMNS = ("tensor", "role", "kind", "layer", "shape", "std", "row_spread", "note")


def fitted(model):
    """The rows of `fit` by their tensors."""
    rows = ws.fit(model, columns=COLUMNS, panels=False).rows
    return {row["tensor"]: {**row, "note": row["note"] or ""} for row in rows}


def adapter(folder, tensors, config, name="adapter_model.safetensors"):
    """A folder with factors and their config."""
    save_file(tensors, folder / name)
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def graded(draw, tokens=100, dim=24, r=4):
    """A (r, tokens) and B (dim, r) of an embedding whose tokens have very different scales."""
    a = draw(r, tokens, std=1.0) * torch.logspace(-2, 2, tokens)
    return a, draw(dim, r, std=1.0)


@pytest.mark.parametrize("stem", ["base_model.model.transformer.wte", "wte", "model.embed_tokens",
                                  "transformer.wpe", "some.table"])  # fmt: skip
@pytest.mark.parametrize("ending", ["", ".default"])
def test_tokens_are_the_rows_of_an_embedding(draw, stem, ending) -> None:
    """PEFT's (B A)^T: num_embeddings x dim, in every place and with the name of an adapter."""
    a, b = graded(draw)
    rows = fitted({f"{stem}.lora_embedding_A{ending}": a, f"{stem}.lora_embedding_B{ending}": b})
    (row,) = rows.values()
    expected = (b.double() @ a.double()).T.numpy()
    assert (row["tensor"], row["kind"], row["shape"]) == (f"{stem}[lora]", "embedding", "100x24")
    assert row["std"] == pytest.approx(expected.std(), rel=1e-6)
    assert row["row_spread"] > 1
    assert "orientation" not in row["note"]


@pytest.mark.parametrize(("sides", "turned"), [("AB", False), ("ab", True)])
def test_bare_factors_at_an_embedding_turn_too(draw, sides, turned) -> None:
    """microsoft/LoRA: (B A)^T of A (r, tokens); MLX: A B of A (tokens, r)."""
    a, b = graded(draw)
    stored = (a.T.contiguous(), b.T.contiguous()) if turned else (a, b)
    rows = fitted(
        {f"model.embed_tokens.lora_{side}": x for side, x in zip(sides, stored, strict=True)}
    )
    row = rows["model.embed_tokens[lora]"]
    assert (row["role"], row["kind"], row["shape"]) == ("embed", "embedding", "100x24")
    assert row["row_spread"] > 1


def test_a_layer_at_an_embedding_has_an_unknown_orientation(draw) -> None:
    """A linear layer by its spelling, a table by its place."""
    a, b = graded(draw)
    rows = fitted({"model.embed_tokens.lora_A.weight": a, "model.embed_tokens.lora_B.weight": b})
    assert "orientation unknown" in rows["model.embed_tokens[lora]"]["note"]


def graded_layer(draw, into=24, out=40, r=4):
    """A (r, in), B (out, r) of a layer whose outputs have very different scales."""
    return draw(r, into, std=1.0), draw(out, r, std=1.0) * torch.logspace(-2, 2, out)[:, None]


@pytest.mark.parametrize(("a", "b", "turned"), [
    ("lora_a.weight", "lora_b.weight", False),          # torchtune
    ("lora_A", "lora_B", False),                        # microsoft/LoRA
    ("lora_a", "lora_b", True), ("lora_A", "lora_B", True),
    ("lora_A.weight", "lora_B.weight", True),
    ("lora_down.weight", "lora_up.weight", False),
])  # fmt: skip
@pytest.mark.parametrize("out", [40, 24], ids=["oblong", "square"])
def test_outputs_are_rows_whichever_way_factors_are_stored(draw, a, b, turned, out) -> None:
    """By shapes only; for a square module by the rank, except for a layer by its spelling."""
    down, up = graded_layer(draw, out=out)
    stored = (down.T.contiguous(), up.T.contiguous()) if turned else (down, up)
    row = fitted({f"h.0.attn.q_proj.{a}": stored[0], f"h.0.attn.q_proj.{b}": stored[1]})[
        "h.0.attn.q_proj[lora]"
    ]
    product = (up.double() @ down.double()).numpy()
    if turned and out == 24 and a.endswith(".weight"):  # a layer's A is r x in, whatever its rank
        assert row["shape"] == "4x4"
        return
    assert row["shape"] == f"{out}x24"
    assert row["std"] == pytest.approx(product.std(), rel=1e-6)
    assert row["row_spread"] > 1


def test_factors_that_multiply_both_ways_stay_apart(draw, tmp_path) -> None:
    """Bare n x n factors, unless the config is MLX's or the spelling a layer's."""
    factors = {f"h.0.q.lora_{side}": draw(8, 8, std=1.0) for side in "ab"}
    rows = fitted(factors)
    assert set(rows) == set(factors)
    assert all("multiply in both orders" in row["note"] for row in rows.values())
    layers = {f"{name}.weight": values for name, values in factors.items()}
    product = factors["h.0.q.lora_b"].double() @ factors["h.0.q.lora_a"].double()
    assert fitted(layers)["h.0.q[lora]"]["std"] == pytest.approx(product.numpy().std(), rel=1e-6)
    config = {"fine_tune_type": "lora", "lora_parameters": {"rank": 8, "scale": 20.0}}
    folder = adapter(tmp_path, factors, config, "adapters.safetensors")
    turned = 20 * (factors["h.0.q.lora_a"].double() @ factors["h.0.q.lora_b"].double())
    for source in (folder, folder / "adapters.safetensors"):
        row = fitted(source)["h.0.q[lora]"]
        assert row["std"] == pytest.approx(turned.numpy().std(), rel=1e-6)
        assert "unscaled" not in row["note"]


def test_factors_of_experts_of_mlx_stay_apart(draw) -> None:
    """(experts, r, in) and (experts, out, r)."""
    factors = {"mlp.up_proj.lora_a": draw(4, 2, 24), "mlp.up_proj.lora_b": draw(4, 40, 2)}
    rows = fitted(factors)
    assert set(rows) == set(factors)
    assert all("stacked experts" in row["note"] for row in rows.values())


def test_an_adapter_of_conv1d_keeps_its_outputs_as_rows(draw, tmp_path) -> None:
    """PEFT stores A (r, in) and B (out, r) with fan_in_fan_out too, square or not."""
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "fan_in_fan_out": True}
    down, up = graded_layer(draw, out=72)
    square = graded_layer(draw, out=24)
    stem = "base_model.model.transformer.h.0.attn"
    tensors = {f"{stem}.c_attn.lora_A.weight": down, f"{stem}.c_attn.lora_B.weight": up,
               f"{stem}.c_proj.lora_A.weight": square[0],
               f"{stem}.c_proj.lora_B.weight": square[1]}  # fmt: skip
    rows = fitted(adapter(tmp_path, tensors, config))
    for module, (a, b) in (("c_attn", (down, up)), ("c_proj", square)):
        row = rows[f"{stem}.{module}[lora]"]
        assert row["std"] == pytest.approx((2 * b.double() @ a.double()).numpy().std(), rel=1e-6)
        assert row["row_spread"] > 1
        assert "orientation" not in row["note"]


@pytest.mark.parametrize("stem", ["unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q",
                                  "transformer.single_transformer_blocks.0.attn.to_q"])  # fmt: skip
@pytest.mark.parametrize(("a", "b"), [
    ("lora.down.weight", "lora.up.weight"), ("lora_A.weight", "lora_B.weight"),
    ("lora_A", "lora_B"), ("lora_a.weight", "lora_b.weight"),
])  # fmt: skip
def test_an_alpha_beside_factors_is_no_weight(draw, stem, a, b) -> None:
    """In every spelling it scales the product and is a buffer in `ls`; others are weights."""
    down, up = graded_layer(draw)
    model = {
        f"{stem}.{a}": down,
        f"{stem}.{b}": up,
        f"{stem}.alpha": torch.tensor(12.0),
        "snake.alpha": draw(5),
    }
    rows = fitted(model)
    assert set(rows) == {f"{stem}[lora]", "snake.alpha"}
    assert rows[f"{stem}[lora]"]["std"] == pytest.approx(
        3 * (up.double() @ down.double()).numpy().std(), rel=1e-6
    )
    listed = {row["tensor"]: row for row in ws.ls(model).rows}
    assert listed[f"{stem}.alpha"]["kind"] == "buffer"
    assert listed["snake.alpha"]["kind"] == "norm"


def test_a_spectrum_of_turned_factors_is_that_of_the_product(draw) -> None:
    """By their triangles, as for any pair."""
    down, up = graded_layer(draw)
    model = {"h.0.q.lora_a": down.T.contiguous(), "h.0.q.lora_b": up.T.contiguous()}
    (row,) = ws.spectrum(model, columns=("m", "n", "sigma_max", "method"), panels=False).rows
    assert (row["m"], row["n"], row["method"]) == (40, 24, "factors")
    assert row["sigma_max"] == pytest.approx(
        np.linalg.norm((up.double() @ down.double()).numpy(), 2), rel=1e-9
    )


@pytest.mark.parametrize(("words", "kind"), [
    (("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1"), "LoHa"),
    (("lokr_w1", "lokr_w2_a", "lokr_w2_b", "lokr_t2"), "LoKr"),
    (("ia3_l",), "IA3"), (("oft_r",), "OFT"), (("oft_blocks", "oft_diag"), "OFT"),
    (("boft_R",), "BOFT"),
    (("vera_lambda_b",), "VeRA"),
])  # fmt: skip
@pytest.mark.parametrize(
    "stem", [STEM, "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"]
)
def test_factors_carry_their_kind(draw, words, kind, stem) -> None:
    """One row each, of an unknown role; an alpha beside them is no weight."""
    model = {f"{stem}.{word}": draw(8, 8) for word in words} | {f"{stem}.alpha": torch.tensor(4.0)}
    rows = ws.fit(model, columns=("tensor", "role", "note"), panels=False).rows
    assert {row["tensor"] for row in rows} == {f"{stem}.{word}" for word in words}
    assert {row["role"] for row in rows} == {"unknown"}
    assert all(f"factor of adapter {kind}: measured alone" in row["note"] for row in rows)


@pytest.mark.parametrize("ending", ["", ".default"])
def test_adalora_is_no_product_of_two(draw, by_name, ending) -> None:
    """B diag(E) A is not B A, so that all three stay apart; the number of ranks is no weight."""
    sides = {"A": draw(4, 24), "B": draw(24, 4), "E": draw(4, 1)}
    model = {f"{STEM}.lora_{side}{ending}": values for side, values in sides.items()}
    model[f"{STEM}.ranknum{ending}"] = torch.tensor([4.0])
    rows = by_name(ws.fit(model, columns=("tensor", "role", "note"), panels=False))
    assert set(rows) == {f"{STEM}.lora_{side}{ending}" for side in "ABE"}
    assert rows[f"{STEM}.lora_A{ending}"]["role"] == "lora.a"
    for side in "AB":
        assert "AdaLoRA, with a diagonal between" in rows[f"{STEM}.lora_{side}{ending}"]["note"]
    assert "factor of adapter AdaLoRA" in rows[f"{STEM}.lora_E{ending}"]["note"]


def test_adapters_of_one_module_have_their_names(draw) -> None:
    """PEFT may hold several; `default` is none, and the layer is no part of the slot."""
    stem = "base_model.model.model.layers.0.self_attn.q_proj"
    model = {
        f"{stem}.lora_{side}.{name}.weight": draw(*size)
        for name in ("default", "other")
        for side, size in (("A", (4, 8)), ("B", (8, 4)))
    }
    rows = ws.fit(model, panels=False).rows
    assert [(row["tensor"], row["slot"], row["layer"]) for row in rows] == [
        (f"{stem}[lora]", "lora", 0),
        (f"{stem}[lora.other]", "lora.other", 0),
    ]
