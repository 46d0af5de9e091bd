"""q and k in the order of transformers, and pairs whose orders cannot be known."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from tests.analyses.compare.models import LLAMA, interleaved, met, model, pairs, values
from weightscope.analyses.compare.pair import Pair

META, GGUF = "layers.0.attention.w{}.weight", "blk.0.attn_{}.weight"
HF = "model.layers.0.self_attn.{}_proj.weight"
Config = Mapping[str, object]


def one(spelling: str, tensor: torch.Tensor, config: Config | None = None, part: str = "q"):
    return model({spelling.format(part): tensor}, config)


def only(found: tuple[Pair, ...]) -> Pair:
    (pair,) = found
    return pair


def need(pair: Pair) -> object:
    assert not pair.ordered
    assert pair.rule == ""
    (note,) = [note for note in pair.notes if note.code == "head-order"]
    return note.value("need")


@pytest.mark.parametrize("config", [LLAMA, {"n_heads": 2, "n_kv_heads": 1}])
@pytest.mark.parametrize("of_a", [False, True])
def test_heads_of_either_config(config: Config, of_a: bool) -> None:
    """One config states the heads, in the keys of transformers or of Meta's params.json."""
    q, k = torch.randn(8, 6), torch.randn(4, 6)
    hf = {HF.format("q"): q, HF.format("k"): k}
    meta = {META.format("q"): interleaved(q, 2), META.format("k"): interleaved(k, 1)}
    configs = (config, None) if of_a else (None, config)
    for pair in pairs(model(hf, configs[0]), model(meta, configs[1])):
        assert pair.a
        assert pair.b
        assert torch.equal(values(pair.a.entry), values(pair.b.entry))
        assert not pair.notes


def test_biases_have_the_order_of_their_matrix() -> None:
    """The elements of a bias are the rows."""
    bias = torch.randn(8)
    a = model({"model.layers.0.self_attn.q_proj.bias": bias}, LLAMA)
    pair = only(pairs(a, model({"blk.0.attn_q.bias": interleaved(bias[:, None], 2)[:, 0]})))
    assert pair.b
    assert torch.equal(values(pair.b.entry), bias[None])


def test_values_keep_their_rows() -> None:
    """v and o have no rotation: in no spelling are their rows interleaved."""
    for part, gguf in (("v", "attn_v"), ("o", "attn_output")):
        weight = torch.randn(8, 8)
        found = pairs(one(HF, weight, LLAMA, part), model({f"blk.0.{gguf}.weight": weight}))
        pair = only(found)
        assert pair.b
        assert torch.equal(values(pair.b.entry), weight)


@pytest.mark.parametrize(
    ("model_type", "is_interleaved"),
    [("llama", True), ("mistral", True), ("mixtral", True), ("qwen2", False), ("gemma2", False)],
)
def test_the_architecture_decides_for_gguf(model_type: str, is_interleaved: bool) -> None:
    """llama.cpp converts the rows of Llama's relatives only."""
    config = LLAMA | {"model_type": model_type}
    weight = torch.randn(8, 6)
    stored = interleaved(weight, 2) if is_interleaved else weight
    for a, b in ((config, None), (None, config)):
        pair = only(pairs(one(HF, weight, a), one(GGUF, stored, b)))
        assert pair.b
        assert torch.equal(values(pair.b.entry), weight)
    nested = {"model_type": "other", "text_config": config}
    pair = only(pairs(one(HF, weight, nested), one(GGUF, stored)))
    assert pair.b
    assert torch.equal(values(pair.b.entry), weight)


def test_an_order_that_nothing_states_leaves_laws_only() -> None:
    """Without a model_type, without heads, with heads that do not divide the rows."""
    weight = torch.randn(8, 6)
    heads = {"num_attention_heads": 2}
    assert need(only(pairs(one(HF, weight, heads), one(GGUF, weight)))) == "model_type"
    assert need(only(pairs(one(META, weight, heads), one(GGUF, weight)))) == "model_type"
    assert need(only(pairs(one(HF, weight), one(META, weight)))) == "the number of heads"
    for wrong in (3, 8):
        config = {"num_attention_heads": wrong}
        pair = only(pairs(one(HF, weight, config), one(META, weight)))
        assert need(pair) == "the number of heads"
    both = only(pairs(one(HF, weight, heads), one(META, weight, {"n_heads": 4})))
    assert need(both) == "the number of heads"
    shorter = only(pairs(one(HF, weight, heads), one(META, torch.randn(4, 6))))
    assert need(shorter) == "equal shapes"
    assert shorter.reshaped


def test_one_spelling_has_one_order() -> None:
    """Nothing is read in another order, whatever is not known."""
    weight = torch.randn(8, 6)
    for spelling in (META, GGUF, HF):
        pair = only(pairs(one(spelling, weight), one(spelling, weight, LLAMA)))
        assert pair.ordered
        assert not pair.notes
        assert pair.b
        assert torch.equal(values(pair.b.entry), weight)
        assert only(pairs(one(spelling, weight), one(spelling, weight))).ordered
    assert only(pairs(one(META, weight), one(GGUF, weight, LLAMA))).ordered


def test_laws_of_both_sides_are_there() -> None:
    """A pair in an unknown order keeps its entries as they are stored."""
    a, b = torch.randn(8, 6), torch.randn(8, 6)
    pair = only(pairs(one(HF, a), one(META, b)))
    assert pair.a
    assert pair.b
    assert torch.equal(values(pair.a.entry), a)
    assert torch.equal(values(pair.b.entry), b)
    assert met((pair,)) == {(HF.format("q"), META.format("q"))}
