"""Weight and bias of one module stand at one place: stack, layer, slot and part are equal."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.naming.spellings import Shapes, bert, cifar, convnext, gpt2, llama, mixtral, resnet
from weightscope.naming import Family, Place, families, places
from weightscope.naming.roles import kind_of

ENDINGS = [
    (".weight", ".bias"),
    ("in_proj_weight", "in_proj_bias"),
    *((f"weight_{gate}", f"bias_{gate}") for gate in ("ih", "hh")),
    *((f".{before}W_{key}", f".{before}b_{key}") for before in ("", "_") for key in "QKVO"),
    *((f".W_{key}", f".b_{key}") for key in ("in", "out", "U")),
    (".w", ".b"),
]


def bias_of(weight: str) -> str:
    """The name of the bias beside a weight; "" where there is none."""
    for ending, other in ENDINGS:
        before, found, after = weight.rpartition(ending)
        direct = after == "" or (ending.startswith("weight_") and after.startswith("_l"))
        if found and direct:
            return before + other + after
    return ""


def with_biases(names: Shapes) -> tuple[Shapes, dict[str, str]]:
    """The names with a bias beside each weight, and which weight has which bias."""
    biases = {weight: bias_of(weight) for weight, dims in names.items() if dims}
    biases = {weight: bias for weight, bias in biases.items() if bias}
    added = {bias: _size(weight, names[weight]) for weight, bias in biases.items()}
    return {**added, **names}, biases


def _size(weight: str, dims: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a bias: TransformerLens has one per head, and one behind all of them."""
    if weight.endswith("W_O"):
        return dims[-1:]
    if "W_" in weight:
        return (*dims[:-2], dims[-1])
    return dims[:1]


SPELLINGS = [
    llama("hf"),
    llama("meta"),
    llama("gguf"),
    mixtral("hf"),
    mixtral("gguf"),
    gpt2(""),
    bert("bert."),
    resnet("torchvision"),
    resnet("hf"),
    cifar(),
    *(convnext(spelling) for spelling in ("original", "timm", "hf")),
]

NEIGHBOURS: list[Shapes] = [
    {"down_blocks.0.attentions.1.proj_in.weight": (8, 8, 1, 1)},
    {"down_blocks.0.attentions.1.proj_in.weight": (8, 8)},
    {"up_blocks.0.attentions.1.proj_out.weight": (8, 8, 1, 1)},
    {"stem.0.weight": (8, 3, 4, 4)},
    {"stem.0.weight": (8, 3)},
    {"convnext.embeddings.patch_embeddings.weight": (8, 3, 4, 4)},
    {"layer1.0.downsample.0.weight": (8, 8, 1, 1)},
    {"layer1.0.downsample.1.weight": (8,)},
    {"conv1.weight": (8, 3, 7, 7), "layer1.0.conv1.weight": (8, 8, 3, 3)},
    {"encoder.layers.0.lstm.weight_ih_l1": (32, 8)},
    {"encoder.layers.0.lstm.weight_hh_l0_reverse": (32, 8)},
    {"encoder.layers.0.weight_ih": (32, 8)},
    {"blocks.0.rnn.cell.weight_hh": (32, 8)},
]


def disagree(names: Shapes, config: Mapping[str, object] | None = None) -> list[tuple[object, ...]]:
    """Pairs that stand at different places, but for a bias of another kind."""
    every, biases = with_biases(names)
    made = places(every, config or {}, split=False)
    apart = []
    for weight, bias in biases.items():
        (one,), (other,) = made[weight], made[bias]
        kind = kind_of(other.role.removesuffix(".bias"))
        if kind == one.kind and _position(one) != _position(other):
            apart.append((bias, one.role, _position(one), _position(other)))
    return apart


def _position(place: Place) -> tuple[str, int | None, str, str]:
    return place.stack, place.layer, place.slot, place.part


@pytest.mark.parametrize("family", families(), ids=lambda family: family.id)
def test_samples(family: Family) -> None:
    """Those of each family."""
    for sample in family.samples:
        names = {sample.name: sample.shape, **sample.beside}
        assert disagree(names, sample.config) == []


def test_most_samples_have_a_bias() -> None:
    """The test of samples compares something."""
    samples = [sample.name for family in families() for sample in family.samples]
    assert len(list(filter(None, map(bias_of, samples)))) > 150


@pytest.mark.parametrize("names", SPELLINGS, ids=lambda names: next(iter(names)))
def test_spellings(names: Shapes) -> None:
    """Those of each spelling of a model."""
    assert disagree(names) == []


@pytest.mark.parametrize("names", NEIGHBOURS, ids=lambda names: next(iter(names)))
def test_neighbours(names: Shapes) -> None:
    """Convolutions that linear layers share a name with, and cells in a layer."""
    every, biases = with_biases(names)
    made = places(every, {}, split=False)
    assert disagree(names) == []
    for weight, bias in biases.items():
        assert made[bias][0].role == f"{made[weight][0].role}.bias"


def test_layers_of_an_rnn_in_a_layer() -> None:
    """The slot is the module, its direction and its inner number; the role is not repeated."""
    name = "encoder.layers.3.lstm.weight_{}"
    endings = ("ih_l0", "hh_l0", "ih_l1", "ih_l1_reverse", "ih_l0_reverse")
    made = places({name.format(ending): (32, 8) for ending in endings}, {})
    slots = ["lstm", "lstm", "lstm.1", "lstm.reverse.1", "lstm.reverse"]
    assert [place.slot for (place,) in made.values()] == slots
