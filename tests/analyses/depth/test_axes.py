"""The depth axes of transformers: layers, experts, encoders and decoders, towers, gaps."""

from __future__ import annotations

import pytest

from tests.analyses.depth.networks import (
    DOWN,
    EXPERT_SERIES,
    GATED,
    LLAMA,
    NORM,
    SQUARE,
    UP,
    VECTOR,
    Shapes,
    followed,
    matrices,
    repeated,
    tensors,
    under,
)

ATTENTION = ("attn.q", "attn.k", "attn.v", "attn.o")
MLP = ("mlp.gate", "mlp.up", "mlp.down")


def series(names: tuple[str, ...], layers: str, stack: str = "", slot: str = "") -> dict[str, str]:
    """Several series over the same layers."""
    before = f"{stack} " if stack else ""
    after = f"[{slot}]" if slot else ""
    return {f"{before}{name}{after}": layers for name in names}


def test_gpt2() -> None:
    """c_attn is three series; tables, the last norm and the mask have no layer."""
    shapes = {"wte.weight": (9, 4), "wpe.weight": (8, 4), "ln_f.weight": VECTOR}
    shapes |= repeated(
        "h.{}.",
        range(3),
        {
            "attn.bias": (1, 1, 8, 8),
            "attn.c_attn.weight": (4, 12),
            "attn.c_attn.bias": (12,),
            "attn.c_proj.weight": SQUARE,
            "mlp.c_fc.weight": (4, 16),
            "mlp.c_proj.weight": (16, 4),
            **under("ln_1.", NORM),
            **under("ln_2.", NORM),
        },
    )
    vectors = ("attn.q.bias", "attn.k.bias", "attn.v.bias")
    norms = ("norm.bias[attn]", "norm.bias[mlp]")
    assert followed(tensors(shapes)) == {
        **series((*ATTENTION, "mlp.up", "mlp.down"), "0-2"),
        **{f"{name}: bias": "0-2" for name in (*vectors, *norms)},
        "norm[attn]: norm": "0-2",
        "norm[mlp]: norm": "0-2",
    }


def test_experts_apart() -> None:
    """The experts of a layer of Mixtral are one point; the router is a series."""
    expert = {"w1.weight": UP, "w2.weight": DOWN, "w3.weight": UP}
    block = under("block_sparse_moe.", repeated("experts.{}.", range(2), expert))
    block |= {"block_sparse_moe.gate.weight": (2, 4)}
    shapes = repeated("model.layers.{}.", range(3), LLAMA | block)
    assert matrices(tensors(shapes)) == series((*ATTENTION, *EXPERT_SERIES, "moe.router"), "0-2")


def test_dense_layers_then_experts() -> None:
    """DeepSeek: the dense MLP of the first layer, shared and routed experts are three series."""
    attention = {
        "self_attn.q_proj.weight": (8, 4),
        "self_attn.kv_a_proj_with_mqa.weight": (6, 4),
        "self_attn.kv_a_layernorm.weight": VECTOR,
        "self_attn.kv_b_proj.weight": (12, 4),
        "self_attn.o_proj.weight": DOWN,
    }
    routed = under("mlp.", repeated("experts.{}.", range(3), GATED)) | {"mlp.gate.weight": (3, 4)}
    shapes = repeated("model.layers.{}.", range(4), attention)
    shapes |= repeated("model.layers.{}.", [0], under("mlp.", GATED))
    shapes |= repeated(
        "model.layers.{}.", range(1, 4), routed | under("mlp.shared_experts.", GATED)
    )
    latent = ("attn.q", "attn.mla.kv_a", "attn.mla.kv_b", "attn.o")
    assert matrices(tensors(shapes)) == {
        **series(latent, "0-3"),
        **series(MLP, "0"),
        **series(MLP, "1-3", slot="shared"),
        **series((*EXPERT_SERIES, "moe.router"), "1-3"),
    }


@pytest.mark.parametrize(
    ("word", "stack"),
    [
        ("mlp.", {"gate.weight": (3, 4), "experts.gate_up_proj": (3, 12, 4)}),
        ("feed_forward.", {"router.weight": (3, 4), "experts.gate_up_proj": (3, 4, 12)}),
    ],
)
def test_experts_in_one_tensor(word: str, stack: Shapes) -> None:
    """Experts stacked in every second layer, as of Llama 4, are split and joined to one point."""
    down = (3, 6, 4) if word == "feed_forward." else (3, 4, 6)
    shapes = repeated("model.layers.{}.", range(4), LLAMA)
    shapes |= repeated("model.layers.{}.", (0, 2), under(word, GATED))
    shapes |= repeated("model.layers.{}.", (1, 3), under(word, stack | {"experts.down_proj": down}))
    assert matrices(tensors(shapes)) == {
        **series(ATTENTION, "0-3"),
        **series(MLP, "0,2"),
        **series((*EXPERT_SERIES, "moe.router"), "1,3"),
    }


def test_separate_and_stacked_experts_are_one_series() -> None:
    """Layers whose experts are stored apart continue those whose experts are stacked."""
    apart = under("mlp.", repeated("experts.{}.", range(2), GATED))
    stacked = {"mlp.experts.gate_up_proj": (2, 12, 4), "mlp.experts.down_proj": (2, 4, 6)}
    router = {"mlp.gate.weight": (2, 4)}
    shapes = repeated("model.layers.{}.", range(2), apart | router)
    shapes |= repeated("model.layers.{}.", range(2, 4), stacked | router)
    assert matrices(tensors(shapes)) == series((*EXPERT_SERIES, "moe.router"), "0-3")


def test_the_up_of_a_fused_pair_is_an_up() -> None:
    """GEGLU keeps gate and up under the name of up: the same series as in layers without a gate."""
    fused = {"ff.net.0.proj.weight": (12, 4), "ff.net.2.weight": DOWN}
    alone = {"ff.net.0.proj.weight": UP, "ff.net.2.weight": DOWN}
    shapes = repeated("transformer_blocks.{}.", range(2), fused)
    shapes |= repeated("transformer_blocks.{}.", range(2, 4), alone)
    assert matrices(tensors(shapes)) == {
        "mlp.up": "0-3",
        "mlp.down": "0-3",
        "mlp.gate": "0-1",
    }


def test_t5() -> None:
    """Encoder and decoder are stacks, cross-attention a slot; the table of positions is in one."""
    attention = {f"{word}.weight": SQUARE for word in "qkvo"}
    mlp = {"DenseReluDense.wi.weight": UP, "DenseReluDense.wo.weight": DOWN}
    norm = {"layer_norm.weight": VECTOR}
    encoder = under("0.", under("SelfAttention.", attention) | norm) | under("1.", mlp | norm)
    decoder = under("0.", under("SelfAttention.", attention) | norm)
    decoder |= under("1.", under("EncDecAttention.", attention) | norm) | under("2.", mlp | norm)
    shapes = repeated("encoder.block.{}.layer.", range(3), encoder)
    shapes |= repeated("decoder.block.{}.layer.", range(2), decoder)
    shapes["encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"] = (32, 2)
    shapes["shared.weight"] = (9, 4)
    roles = (*ATTENTION, "mlp.up", "mlp.down")
    assert followed(tensors(shapes)) == {
        **series(roles, "0-2", "encoder"),
        **series(roles, "0-1", "decoder"),
        **series(ATTENTION, "0-1", "decoder", "cross"),
        "encoder position[relative]": "0",
        "encoder norm[attn]: norm": "0-2",
        "encoder norm[mlp]: norm": "0-2",
        "decoder norm[attn]: norm": "0-1",
        "decoder norm[cross]: norm": "0-1",
        "decoder norm[mlp]: norm": "0-1",
    }


def _whisper(self_attention: str, cross: str, words: tuple[str, ...], mlp: Shapes) -> Shapes:
    """A layer of the encoder under `e.`, one of the decoder under `d.`."""
    attention = {f"{word}.weight": SQUARE for word in words}
    encoder = under(f"{self_attention}.", attention) | mlp
    return under("e.", encoder) | under("d.", encoder | under(f"{cross}.", attention))


BART = _whisper(
    "self_attn",
    "encoder_attn",
    ("q_proj", "k_proj", "v_proj", "out_proj"),
    {"fc1.weight": UP, "fc2.weight": DOWN, "self_attn_layer_norm.weight": VECTOR},
)
WHISPER = _whisper(
    "attn",
    "cross_attn",
    ("query", "key", "value", "out"),
    {"mlp.0.weight": UP, "mlp.2.weight": DOWN, "attn_ln.weight": VECTOR},
)


@pytest.mark.parametrize(
    ("layer", "names"), [("model.{}.layers.{}.", BART), ("{}.blocks.{}.", WHISPER)]
)
def test_bart_and_whisper(layer: str, names: Shapes) -> None:
    """Encoder and decoder with cross-attention, as transformers and OpenAI name them."""
    shapes: Shapes = {}
    for stack, first in (("encoder", "e."), ("decoder", "d.")):
        own = {name[2:]: dims for name, dims in names.items() if name.startswith(first)}
        for i in range(3):
            shapes |= under(layer.format(stack, i), own)
    roles = (*ATTENTION, "mlp.up", "mlp.down")
    assert matrices(tensors(shapes)) == {
        **series(roles, "0-2", "encoder"),
        **series(roles, "0-2", "decoder"),
        **series(ATTENTION, "0-2", "decoder", "cross"),
    }


def test_two_towers() -> None:
    """CLIP: text and vision count their own layers; patches and projections have none."""
    names = {
        **{f"self_attn.{word}_proj.weight": SQUARE for word in ("q", "k", "v", "out")},
        "mlp.fc1.weight": UP,
        "mlp.fc2.weight": DOWN,
    }
    shapes = repeated("text_model.encoder.layers.{}.", range(2), names)
    shapes |= repeated("vision_model.encoder.layers.{}.", range(3), names)
    shapes |= {
        "vision_model.embeddings.patch_embedding.weight": (4, 3, 2, 2),
        "visual_projection.weight": SQUARE,
        "logit_scale": (),
    }
    roles = (*ATTENTION, "mlp.up", "mlp.down")
    assert followed(tensors(shapes)) == {
        **series(roles, "0-1", "text_model"),
        **series(roles, "0-2", "vision_model"),
    }


def test_a_transformer_beside_stages() -> None:
    """CLIP with a ResNet: each tower has the axis of its kind."""
    text = {"attn.in_proj_weight": (12, 4), "mlp.c_fc.weight": UP}
    block = {"conv1.weight": (4, 4, 1, 1), "conv2.weight": (4, 4, 3, 3)}
    shapes = repeated("transformer.resblocks.{}.", range(3), text)
    for stage in (1, 2):
        shapes |= repeated(f"visual.layer{stage}.{{}}.", range(2), block)
    assert matrices(tensors(shapes)) == {
        **series(("attn.q", "attn.k", "attn.v", "mlp.up"), "0-2", "transformer"),
        "visual conv[1]": "0-3",
        "visual conv[2]": "0-3",
    }


@pytest.mark.parametrize(
    ("numbers", "layers"), [((0, 2, 5), "0,2,5"), ((1, 2, 3), "1-3"), ((10, 9, 2), "2,9-10")]
)
def test_the_index_is_the_axis(numbers: tuple[int, ...], layers: str) -> None:
    """Layers that are missing leave gaps, the first need not be 0, and 10 follows 9."""
    shapes = repeated("model.layers.{}.", numbers, LLAMA)
    assert matrices(tensors(shapes)) == series(ATTENTION, layers)


def test_jamba() -> None:
    """Attention in every fourth layer has gaps, and so have Mamba, MLP and experts."""
    attention = {name: dims for name, dims in LLAMA.items() if name.startswith("self_attn")}
    mamba = {"in_proj.weight": (16, 4), "conv1d.weight": (8, 1, 4), "out_proj.weight": (4, 8)}
    experts = repeated("experts.{}.", range(2), GATED) | {"router.weight": (2, 4)}
    norms = {"input_layernorm.weight": VECTOR, "pre_ff_layernorm.weight": VECTOR}
    shapes = repeated("model.layers.{}.", range(8), norms)
    shapes |= repeated("model.layers.{}.", (3, 7), attention)
    shapes |= repeated("model.layers.{}.", (0, 1, 2, 4, 5, 6), under("mamba.", mamba))
    shapes |= repeated("model.layers.{}.", (0, 2, 4, 6), under("feed_forward.", GATED))
    shapes |= repeated("model.layers.{}.", (1, 3, 5, 7), under("feed_forward.", experts))
    assert followed(tensors(shapes)) == {
        **series(ATTENTION, "3,7"),
        **series(("ssm.in_proj", "ssm.conv1d", "ssm.out_proj"), "0-2,4-6"),
        **series(MLP, "0,2,4,6"),
        **series((*EXPERT_SERIES, "moe.router"), "1,3,5,7"),
        "norm[attn]: norm": "0-7",
        "norm[mlp]: norm": "0-7",
    }


def test_qwen3_next() -> None:
    """Linear attention in three of four layers; shared and routed experts in all."""
    linear = {
        "in_proj_qkvz.weight": (16, 4),
        "in_proj_ba.weight": SQUARE,
        "out_proj.weight": SQUARE,
    }
    attention = {name: dims for name, dims in LLAMA.items() if name.startswith("self_attn")}
    experts = repeated("experts.{}.", range(2), GATED) | {"gate.weight": (2, 4)}
    experts |= under("shared_expert.", GATED) | {"shared_expert_gate.weight": (1, 4)}
    shapes = repeated("model.layers.{}.", range(8), under("mlp.", experts))
    shapes |= repeated("model.layers.{}.", (3, 7), attention)
    shapes |= repeated("model.layers.{}.", (0, 1, 2, 4, 5, 6), under("linear_attn.", linear))
    assert matrices(tensors(shapes)) == {
        **series(ATTENTION, "3,7"),
        **series(("linattn.qkvz", "linattn.ba", "linattn.o"), "0-2,4-6"),
        **series((*EXPERT_SERIES, "moe.router"), "0-7"),
        **series(MLP, "0-7", slot="shared"),
        "moe.router[shared]": "0-7",
    }
