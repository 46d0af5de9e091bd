"""The head of a model, and names like it: a false head hides a layer of the trunk."""

from __future__ import annotations

import pytest

from weightscope.naming import families, places

Shapes = dict[str, tuple[int, ...]]


def role(name: str, beside: Shapes | None = None, shape: tuple[int, ...] = (10, 8)) -> str:
    """The role of one name beside others."""
    (place,) = places({name: shape, **(beside or {})}, {})[name]
    return place.role


HEADS = [
    "lm_head.weight",
    "embed_out.weight",
    "gpt_neox.embed_out.weight",
    "encoder.lm_head.weight",
    "decoder.output_projection.weight",
    "qa_outputs.weight",
    "decoder.fc_out.weight",
    "score.weight",
    "model.score.weight",
    "fc.weight",
    "model.fc.weight",
    "head.fc.weight",
    "AuxLogits.fc.weight",
    "head.weight",
    "visual.head.weight",
    "heads.head.weight",
    "classifier.weight",
    "classifier.out_proj.weight",
    "classifier.linear.weight",
    "head.linear.weight",
    "model.head.linear.weight",
    "lm_head.linear.weight",
    "score.linear.weight",
    "classifier.1.weight",
    "linear.weight",
    "module.linear.weight",
    "proj_out.weight",
    "head_dist.weight",
    "vocab_projector.weight",
    "cls.predictions.decoder.weight",
    "final_layer.linear.weight",
    "visual_projection.weight",
    "output.weight",
]


@pytest.mark.parametrize("name", HEADS)
def test_heads(name: str) -> None:
    """At the root or in what wraps a whole model."""
    assert role(name) == "head"


OTHERS = [
    "encoder.layers.0.attention.fc_out.weight",
    "attention.fc_out.weight",
    "layers.0.attn.score.weight",
    "attention.score.weight",
    "layers.0.ff.output_projection.weight",
    "attn.output_projection.weight",
    "attn.fc.weight",
    "gate.fc.weight",
    "decoder.fc.weight",
    "mtp.fc.weight",
    "0.fc.weight",
    "layer1.fc.weight",
    "stem.linear.weight",
    "encoder.linear.weight",
    "decoder.linear.weight",
    "model.linear.weight",
    "attn.proj_out.weight",
]


@pytest.mark.parametrize("name", OTHERS)
def test_names_like_heads(name: str) -> None:
    """Inside a layer, or in a module that is no whole model."""
    assert role(name) == "unknown"


LAYERS = (
    "layers.3.",
    "layers.12.",
    "encoder.layers.3.attn.",
    "h.0.mlp.",
    "layer1.0.",
    "block2.",
    "0.",
    "transformer.encoder_layer_3.",
    "down_blocks.1.attentions.0.",
)


def test_no_head_stands_in_a_numbered_layer() -> None:
    """Whatever rule makes a name a head does not hold for the same name in a layer."""
    samples = {
        sample.name
        for family in families()
        for sample in family.samples
        for expect in sample.expect
        if expect.get("role", "").removesuffix(".bias") == "head"
    }
    assert len(samples) > 12
    for name in samples.union(HEADS):
        for layer in LAYERS:
            found = role(f"{layer}{name.removeprefix('module.')}")
            assert not found.startswith("head"), (layer, name)


RIVALS: list[Shapes] = [
    *(
        {f"{name}.weight": (10, 8)}
        for name in (
            "fc",
            "lm_head",
            "head",
            "classifier.1",
            "fc_out",
            "output_projection",
            "qa_outputs",
            "vocab_projector",
            "out",
            "heads.0",
            "output_layer",
            "predictor",
            "logits",
            "to_logits",
            "last_layer",
            "last_linear",
            "net.4",
            "decoder",
            "linear2",
            "model.lm_head",
            "decoder.output_projection",
            "cls.predictions.decoder",
        )
    ),
    {"unembed.W_U": (8, 10)},
]


@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: next(iter(rival)))
def test_a_linear_beside_another_head_is_none(rival: Shapes) -> None:
    """Neither at the root nor in a module; a bias beside it proves that it is a linear layer."""
    assert role("stem.linear.weight", rival) == "unknown"
    assert role("linear.weight", rival) == "unknown"
    assert role("linear.weight", {**rival, "linear.bias": (10,)}) == "linear"


NEIGHBOURS: list[Shapes] = [
    {"layer1.0.fc1.weight": (4, 64, 1, 1), "layer1.0.fc1.bias": (4,)},
    {"blocks.0.linear.weight": (8, 8)},
    {"blocks.0.head.weight": (8, 8)},
    {"enc.linear.weight": (8, 8)},
    {"features.0.weight": (8, 3, 3, 3), "norm.weight": (8,), "norm.bias": (8,)},
    {"embedding.weight": (50, 8), "wte.weight": (50, 8), "lstm.weight_ih_l0": (32, 8)},
    {"fc.weight": (8, 8, 1, 1)},
    {"output.weight": (8,)},
    {"decoder.multihead_attn.out_proj.weight": (8, 8)},
]


@pytest.mark.parametrize("beside", NEIGHBOURS, ids=lambda beside: next(iter(beside)))
def test_a_linear_at_the_root_beside_no_head(beside: Shapes) -> None:
    """Layers, convolutions, norms and tables are no heads: the root's is one, with its bias."""
    names = {**beside, "linear.bias": (10,)}
    assert role("linear.weight", names) == "head"
    assert role("linear.bias", {**names, "linear.weight": (10, 8)}, (10,)) == "head.bias"


def test_a_wrapper_with_several_matrices_has_no_known_head() -> None:
    """`head.linear` behind `head.dense` is not known to be the last."""
    assert role("head.linear.weight", {"head.dense.weight": (8, 8)}) == "unknown"
    assert role("head.linear.weight", {"head.norm.weight": (8,)}) == "head"


def test_one_matrix_in_a_classifier_is_the_head() -> None:
    """Of several, which are heads is not known; a norm is no rival."""
    norm: Shapes = {"classifier.0.weight": (8,), "classifier.0.running_mean": (8,)}
    assert role("classifier.1.weight", norm) == "head"
    assert role("classifier.1.weight", {"classifier.4.weight": (8, 8)}) == "unknown"
    assert role("classifier.4.weight", {"classifier.fc.weight": (8, 8)}) == "unknown"
