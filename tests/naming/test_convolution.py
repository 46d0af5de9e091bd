"""The bias or the next batch norm proves a transposed convolution; the name alone does not."""

from __future__ import annotations

import pytest
import torch

from weightscope.naming import places

Shapes = dict[str, tuple[int, ...]]
KERNEL = (24, 8, 4, 4)


def stored(names: Shapes, name: str = "") -> tuple[str, int]:
    (place,) = places(names, {})[name or next(iter(names))]
    assert place.transpose == (place.orientation == "in_out")
    assert place.kind == "conv"
    return place.orientation, place.groups


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 4])
@pytest.mark.parametrize("transposed", [False, True])
def test_modules_of_torch(groups: int, rank: int, kernel: int, transposed: bool) -> None:
    """Transposed: 1, 2 and 3 dimensions, kernels of one element, groups; ordinary: never."""
    kind = getattr(torch.nn, f"Conv{'Transpose' * transposed}{rank}d")
    module = kind(24, 8, kernel, groups=groups, device="meta")
    shapes = {f"deconv.{name}": tuple(t.shape) for name, t in module.state_dict().items()}
    assert stored(shapes, "deconv.weight") == (("in_out", groups) if transposed else ("out_in", 1))
    plain = {name.replace("deconv", "conv"): shape for name, shape in shapes.items()}
    expected = ("in_out", 1) if groups == 1 else ("unknown", 1)  # groups need the hint
    assert stored(plain, "conv.weight") == (expected if transposed else ("out_in", 1))


@pytest.mark.parametrize(
    ("kernels", "expected"),
    [
        ("weight", "in_out"),
        ("weight_v", "in_out"),
        ("weight_orig", "in_out"),
        ("parametrizations.weight.original1", "in_out"),
        ("parametrizations.weight.original", "in_out"),
        ("weight_g", "out_in"),
        ("kernel", "out_in"),
    ],
)
def test_what_stands_for_the_weight(kernels: str, expected: str) -> None:
    """Kernels under weight norm and spectral norm count; other 3-dimensional tensors do not."""
    assert stored({f"ups.0.{kernels}": (24, 8, 4), "ups.0.bias": (8,)})[0] == expected


@pytest.mark.parametrize(
    "word",
    [
        "deconv",
        "deconv2",
        "deconv_layers.0",
        "conv_transpose",
        "convtranspose",
        "ConvTranspose2d_1",
        "upconv",
        "up_conv3",
        "transposed_conv",
        "trans_conv",
        "convtr",
    ],
)
def test_a_name_without_proof_is_unknown(word: str) -> None:
    """Nothing is turned; without the hint it is an ordinary convolution."""
    assert stored({f"decoder.{word}.weight": KERNEL})[0] == "unknown"
    assert stored({f"{word}.weight": (16, 16, 2, 2), f"{word}.bias": (16,)})[0] != "in_out"


@pytest.mark.parametrize(
    "name",
    [
        "group_conv",
        "conv",
        "up",
        "downconv",
        "conv_transition",
        "transition_conv",
        "conv_transformer",
        "upsample.conv",
        "up_conv.block.conv",
        "deconv_block.skip",
    ],
)
def test_other_names_are_no_hint(name: str) -> None:
    """No false alarm for a network without biases."""
    assert stored({f"{name}.weight": KERNEL}) == ("out_in", 1)


@pytest.mark.parametrize(
    ("dims", "bias", "plain", "hinted"),
    [
        ((24, 8, 4, 4), 8, "in_out", "in_out"),
        ((8, 24, 4, 4), 8, "out_in", "out_in"),
        ((24, 8, 4, 4), 24, "out_in", "unknown"),  # 8 to 24, or 24 to 24 in three groups
        ((24, 1, 4, 4), 24, "out_in", "out_in"),  # depthwise: the same matrix either way
        ((16, 16, 2, 2), 16, "out_in", "unknown"),
        ((24, 8, 4), 7, "out_in", "unknown"),
        ((24, 8, 4), 16, "unknown", "in_out"),  # two groups of 12 inputs
        ((24, 8, 4), 40, "out_in", "unknown"),  # 24 inputs have no five groups
        ((24, 1, 16), 1, "in_out", "in_out"),
        ((0, 8, 4), 8, "out_in", "out_in"),
        ((24, 8, 4), 0, "out_in", "unknown"),
    ],
)
def test_the_length_of_the_bias(dims: tuple[int, ...], bias: int, plain: str, hinted: str) -> None:
    """What an ordinary convolution cannot have is transposed, groups only with the hint."""
    assert stored({"up.weight": dims, "up.bias": (bias,)})[0] == plain
    assert stored({"deconv.weight": dims, "deconv.bias": (bias,)})[0] == hinted


@pytest.mark.parametrize(
    ("features", "plain", "hinted"),
    [(8, "unknown", "in_out"), (24, "out_in", "unknown"), (7, "out_in", "unknown")],
)
def test_the_batch_norm_after_it(features: int, plain: str, hinted: str) -> None:
    """Consecutive numbers are a sequence if the name agrees; else the orientation is unknown."""
    for word, expected in (("main", plain), ("deconv", hinted)):
        assert (
            stored({f"{word}.3.weight": KERNEL, f"{word}.4.running_mean": (features,)})[0]
            == expected
        )
    assert stored({"deconv.3.weight": (8, 24, 4, 4), "deconv.4.running_mean": (8,)})[0] == "out_in"
    assert stored({"3.weight": KERNEL, "4.running_mean": (8,)})[0] == "unknown"
    assert stored({"deconv": KERNEL})[0] == "out_in"
    assert stored({"main.3.weight": KERNEL, "main.5.running_mean": (8,)})[0] == "out_in"
    assert stored({f"main.{'9' * 5000}.weight": KERNEL})[0] == "out_in"


def test_a_rule_that_knows_wins(tmp_path) -> None:
    """A name map may say how kernels are stored where nothing decides."""
    own = tmp_path / "own.toml"
    own.write_text("[[rule]]\nregex = 'upconv\\.weight'\nrole = 'conv'\norientation = 'in_out'\n")
    (place,) = places({"upconv.weight": (16, 16, 2, 2)}, {}, name_map=own)["upconv.weight"]
    assert (place.orientation, place.transpose, place.groups) == ("in_out", True, 1)
