"""The depth axes of convolutional and staged networks, and of UNets: stages flattened in order."""

from __future__ import annotations

import pytest

from tests.analyses.depth.networks import (
    DOWN,
    KERNEL,
    NORM,
    POINT,
    SQUARE,
    STATE,
    UP,
    VECTOR,
    Shapes,
    followed,
    matrices,
    repeated,
    staged,
    tensors,
    under,
)

DEPTHWISE = (4, 1, 7, 7)
SIZES = {0: 2, 1: 1, 2: 3}  # blocks of each stage: six in all
ATTENTION = {"attn.q": "0-5", "attn.k": "0-5", "attn.v": "0-5", "attn.o": "0-5"}
MLP = {"mlp.up": "0-5", "mlp.down": "0-5"}


def test_torchvision_resnet() -> None:
    """A bottleneck has a series per convolution and norm; shortcuts are where stages begin."""
    shapes = {"conv1.weight": (4, 3, 7, 7), **under("bn1.", STATE), "fc.weight": (9, 4)}
    sizes = {stage + 1: blocks for stage, blocks in SIZES.items()}
    for number in (1, 2, 3):
        convolution = {f"conv{number}.weight": KERNEL, **under(f"bn{number}.", STATE)}
        shapes |= staged("layer{}.{}.", sizes, convolution)
    shortcut = {"downsample.0.weight": POINT, **under("downsample.1.", STATE)}
    shapes |= repeated("layer{}.0.", sizes, shortcut)
    norms = {}
    for slot in "123":
        norms |= {f"norm[{slot}]: norm": "0-5", f"norm.bias[{slot}]: bias": "0-5"}
    assert followed(tensors(shapes)) == {
        "conv[1]": "0-5",
        "conv[2]": "0-5",
        "conv[3]": "0-5",
        "conv.shortcut": "0,2-3",
        **norms,
        "norm[shortcut]: norm": "0,2-3",
        "norm.bias[shortcut]: bias": "0,2-3",
    }


def test_resnet_of_transformers() -> None:
    """The same series under the names of transformers."""
    shapes = {"resnet.embedder.embedder.convolution.weight": (4, 3, 7, 7)}
    block: Shapes = {}
    for number in range(3):
        block |= {f"layer.{number}.convolution.weight": KERNEL}
        block |= {f"layer.{number}.normalization.weight": VECTOR}
    shapes |= staged("resnet.encoder.stages.{}.layers.{}.", SIZES, block)
    shapes |= repeated(
        "resnet.encoder.stages.{}.layers.0.", SIZES, {"shortcut.convolution.weight": POINT}
    )
    assert followed(tensors(shapes)) == {
        "conv[1]": "0-5",
        "conv[2]": "0-5",
        "conv[3]": "0-5",
        "conv.shortcut": "0,2-3",
        **{f"norm[{slot}]: norm": "0-5" for slot in "123"},
    }


TIMM = {"attn.qkv.weight": (12, 4), "attn.proj.weight": SQUARE, "norm1.weight": VECTOR}
SWIN = {
    "transformers": (
        "swin.encoder.layers.{}.blocks.{}.",
        {
            **{f"attention.self.{word}.weight": SQUARE for word in ("query", "key", "value")},
            "attention.output.dense.weight": SQUARE,
            "attention.self.relative_position_bias_table": (9, 2),
            "layernorm_before.weight": VECTOR,
            "intermediate.dense.weight": UP,
            "output.dense.weight": DOWN,
        },
        {"swin.encoder.layers.0.downsample.reduction.weight": (4, 8)},
    ),
    "timm": (
        "layers.{}.blocks.{}.",
        {
            **TIMM,
            "attn.relative_position_bias_table": (9, 2),
            "mlp.fc1.weight": UP,
            "mlp.fc2.weight": DOWN,
        },
        {"layers.1.downsample.reduction.weight": (4, 8)},
    ),
    "torchvision": (
        "features.{}.{}.",
        {
            **TIMM,
            "attn.relative_position_bias_table": (9, 2),
            "mlp.0.weight": UP,
            "mlp.3.weight": DOWN,
        },
        {"features.0.0.weight": (4, 3, 2, 2), "features.2.reduction.weight": (4, 8)},
    ),
}


@pytest.mark.parametrize("library", SWIN)
def test_swin(library: str) -> None:
    """Blocks count through the stages; merging of patches lies between stages, in no layer."""
    prefix, names, between = SWIN[library]
    sizes = SIZES
    if library == "torchvision":  # stages have odd numbers, the merging of patches even ones
        sizes = {2 * stage + 1: blocks for stage, blocks in SIZES.items()}
    shapes = staged(prefix, sizes, names) | between
    assert followed(tensors(shapes)) == {
        **ATTENTION,
        **MLP,
        "position[relative]": "0-5",
        "norm[attn]: norm": "0-5",
    }


CONVNEXT = {
    "timm": ("stages.{}.blocks.{}.", "conv_dw", "norm", "mlp.fc1", "mlp.fc2", "gamma"),
    "original": ("stages.{}.{}.", "dwconv", "norm", "pwconv1", "pwconv2", "gamma"),
    "transformers": (
        "convnext.encoder.stages.{}.layers.{}.",
        *("dwconv", "layernorm", "pwconv1", "pwconv2", "layer_scale_parameter"),
    ),
    "torchvision": ("features.{}.{}.", "block.0", "block.2", "block.3", "block.5", "layer_scale"),
}


@pytest.mark.parametrize("library", CONVNEXT)
def test_convnext(library: str) -> None:
    """Depthwise kernels, MLP, norm and scale of every block, in all spellings."""
    prefix, kernel, norm, up, down, scale = CONVNEXT[library]
    block = {
        f"{kernel}.weight": DEPTHWISE,
        f"{norm}.weight": VECTOR,
        f"{up}.weight": UP,
        f"{down}.weight": DOWN,
        scale: (4, 1, 1) if library == "torchvision" else VECTOR,
    }
    assert followed(tensors(staged(prefix, SIZES, block))) == {
        "conv.depthwise": "0-5",
        **MLP,
        "norm[mlp]: norm": "0-5",
        "norm[scale]: norm": "0-5",
    }


@pytest.mark.parametrize(
    ("prefix", "block", "expected"),
    [
        (
            "blocks.{}.{}.",
            {"conv_pw.weight": POINT, "conv_dw.weight": DEPTHWISE, "conv_pwl.weight": POINT},
            {"conv[conv_pw]": "0-5", "conv.depthwise": "0-5", "conv[conv_pwl]": "0-5"},
        ),
        (
            "features.{}.{}.block.",
            {"0.0.weight": POINT, "1.0.weight": DEPTHWISE, "2.fc1.weight": POINT},
            {
                "conv[block.0.0]": "0-5",
                "conv.depthwise[block.1.0]": "0-5",
                "conv[block.2.fc1]": "0-5",
            },
        ),
        (
            "segformer.encoder.block.{}.{}.",
            {
                **{f"attention.self.{word}.weight": SQUARE for word in ("query", "key", "value")},
                "attention.output.dense.weight": SQUARE,
                "mlp.dense1.weight": UP,
                "mlp.dense2.weight": DOWN,
            },
            {**ATTENTION, **MLP},
        ),
    ],
    ids=["timm EfficientNet", "torchvision EfficientNet", "SegFormer"],
)
def test_two_numbers_in_a_row(prefix: str, block: Shapes, expected: dict[str, str]) -> None:
    """Stage and block are bare numbers: the second is no part of the slot."""
    assert matrices(tensors(staged(prefix, SIZES, block))) == expected


@pytest.mark.parametrize("word", ["layer", "block", "stage", "res"])
def test_stages_whose_number_ends_a_word(word: str) -> None:
    """`block2.0` follows the last block of `block1`; MiT, PVT and Detectron name them so."""
    sizes = {stage + 1: blocks for stage, blocks in SIZES.items()}
    shapes = staged(f"trunk.{word}{{}}.{{}}.", sizes, {"mix.conv.weight": KERNEL})
    assert matrices(tensors(shapes)) == {"conv[mix.conv]": "0-5"}


def test_two_parts_of_a_layer() -> None:
    """Attention and MLP under bare numbers are parts of a layer, not layers."""
    attention = {**under("norm.", NORM), "fn.to_qkv.weight": (12, 4)}
    mlp = {**under("norm.", NORM), "fn.net.0.weight": UP, "fn.net.3.weight": DOWN}
    layer = under("0.", attention) | under("1.", mlp)
    shapes = repeated("transformer.layers.{}.", range(3), layer)
    slots = ("0.fn.to_qkv", "1.fn.net.0", "1.fn.net.3")
    assert matrices(tensors(shapes)) == {f"unknown[{slot}]": "0-2" for slot in slots}


def test_numbers_of_a_sequence() -> None:
    """VGG: the numbers of an nn.Sequential are the axis, with gaps for what has no weights."""
    shapes: Shapes = {}
    for number in (0, 2, 5, 7, 10):
        shapes |= {f"features.{number}.weight": KERNEL, f"features.{number}.bias": VECTOR}
    assert followed(tensors(shapes)) == {"conv": "0,2,5,7,10", "conv.bias: bias": "0,2,5,7,10"}


RESIDUAL = {"conv1.weight": KERNEL, "conv2.weight": KERNEL, "time_emb_proj.weight": (4, 8)}
TRANSFORMER = {
    "proj_in.weight": POINT,
    "transformer_blocks.0.attn1.to_q.weight": SQUARE,
    "transformer_blocks.0.attn2.to_q.weight": SQUARE,
    "transformer_blocks.0.ff.net.0.proj.weight": (12, 4),
    "transformer_blocks.0.ff.net.2.weight": DOWN,
}
OF_TRANSFORMER = ("conv[in]", "attn.q", "attn.q[cross]", "mlp.up", "mlp.gate", "mlp.down")


def test_unet_of_diffusers() -> None:
    """Down, mid, up: resnets count through all blocks, attentions have the index beside them."""
    shapes = {"conv_in.weight": (4, 4, 3, 3)}
    for stage in range(2):
        shapes |= repeated(f"down_blocks.{stage}.resnets.{{}}.", range(2), RESIDUAL)
        shapes |= repeated(f"up_blocks.{stage}.resnets.{{}}.", range(3), RESIDUAL)
    shapes |= repeated("mid_block.resnets.{}.", range(2), RESIDUAL)
    shapes |= repeated("down_blocks.0.attentions.{}.", range(2), TRANSFORMER)
    shapes |= under("mid_block.attentions.0.", TRANSFORMER)
    shapes |= repeated("up_blocks.1.attentions.{}.", range(3), TRANSFORMER)
    assert matrices(tensors(shapes)) == {
        "conv[1]": "0-11",
        "conv[2]": "0-11",
        "modulation[time]": "0-11",
        **dict.fromkeys(OF_TRANSFORMER, "0-1,4,9-11"),
    }


def test_unet_of_stable_diffusion() -> None:
    """The original names: input, middle and output blocks are one axis, not a stack each."""
    residual = {
        "in_layers.2.weight": KERNEL,
        "emb_layers.1.weight": (4, 8),
        "out_layers.3.weight": KERNEL,
    }
    model = "model.diffusion_model."
    shapes = {f"{model}input_blocks.3.0.op.weight": KERNEL}
    for block in ("input_blocks.1", "input_blocks.2", "output_blocks.0", "output_blocks.1"):
        shapes |= under(f"{model}{block}.0.", residual) | under(f"{model}{block}.1.", TRANSFORMER)
    shapes |= repeated(f"{model}middle_block.{{}}.", (0, 2), residual)
    shapes |= under(f"{model}middle_block.1.", TRANSFORMER)
    assert matrices(tensors(shapes)) == {
        "conv[1]": "1-2,4,6-8",
        "conv[2]": "1-2,4,6-8",
        "modulation[time]": "1-2,4,6-8",
        "conv[down]": "3",
        **dict.fromkeys(OF_TRANSFORMER, "1-2,5,7-8"),
    }
