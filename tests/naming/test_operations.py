"""What shapes prove of a module that no rule knows, and what they do not."""

from __future__ import annotations

import pytest

from weightscope.naming import Place, places

Shapes = dict[str, tuple[int, ...]]


def at(names: Shapes, name: str) -> Place:
    (place,) = places(names, {})[name]
    return place


def affine(name: str, weight: tuple[int, ...], bias: int) -> Shapes:
    """A weight with a bias of some length."""
    return {f"{name}.weight": weight, f"{name}.bias": (bias,)}


@pytest.mark.parametrize(
    ("weight", "bias", "role", "orientation"),
    [
        ((8, 4), 8, "linear", "out_in"),
        ((4, 8), 8, "linear", "in_out"),
        ((8, 4), 5, "unknown", "unknown"),
        ((8, 8), 8, "linear", "unknown"),
        ((8, 4, 3), 8, "unknown", "out_in"),
        ((8,), 8, "unknown", "out_in"),
        ((8, 4, 3, 3), 8, "conv", "out_in"),
        ((8, 1, 3, 3), 8, "conv", "out_in"),
        ((8, 4, 3, 3, 3), 8, "conv", "out_in"),
        ((8, 4, 3, 64), 8, "unknown", "unknown"),
        ((0, 4), 0, "linear", "out_in"),
        ((), 8, "unknown", "out_in"),
    ],
)
def test_roles_by_shape(weight: tuple[int, ...], bias: int, role: str, orientation: str) -> None:
    """A bias of the length of one side is of a linear layer, a kernel of a convolution."""
    names = affine("odd", weight, bias)
    place = at(names, "odd.weight")
    assert (place.role, place.orientation) == (role, orientation)
    assert place.transpose == (orientation == "in_out")
    assert at(names, "odd.bias").role == (f"{role}.bias" if role != "unknown" else "bias")


def test_a_matrix_alone_may_be_an_embedding() -> None:
    """Without a bias nothing tells a linear layer from a table."""
    assert at({"odd.weight": (8, 4)}, "odd.weight").role == "unknown"
    assert at({"odd.kernel": (8, 4), "odd.bias": (8,)}, "odd.kernel").role == "unknown"


@pytest.mark.parametrize(
    ("others", "orientation"),
    [
        (affine("a", (8, 4), 8), "out_in"),
        (affine("a", (4, 8), 8), "unknown"),
        ({**affine("a", (8, 4), 8), **affine("b", (4, 8), 8)}, "unknown"),
    ],
)
def test_a_square_matrix_follows_the_others(others: Shapes, orientation: str) -> None:
    """A square is (out, in) if all provable layers are; an (in, out) layer is no proof."""
    assert at({**affine("odd", (8, 8), 8), **others}, "odd.weight").orientation == orientation


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("convs.0", "conv"),
        ("up_conv", "conv"),
        ("conv1d", "conv"),
        ("conv_pre", "conv"),
        ("encoder.convolution.1", "conv"),
        ("converter", "unknown"),
        ("experts", "unknown"),
        ("bilinear", "unknown"),
    ],
)
def test_three_dimensions_are_a_kernel_by_name(name: str, role: str) -> None:
    """Only a module of that name: expert stacks and bilinear forms have three dimensions too."""
    assert at({f"{name}.weight": (8, 4, 3)}, f"{name}.weight").role == role


def test_a_bias_has_the_rank_of_its_weight() -> None:
    """The bias of a linear layer that is called like a convolution is no convolution's."""
    assert at(affine("pos_embed.proj", (8, 4), 8), "pos_embed.proj.bias").role == "linear.bias"
    assert at(affine("conv1.conv", (8, 4), 8), "conv1.conv.bias").role == "linear.bias"
    assert at(affine("pos_embed.proj", (8, 4, 2, 2), 8), "pos_embed.proj.bias").role == "conv.bias"
