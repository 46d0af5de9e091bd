"""Stages and blocks that are two numbers in a row."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from weightscope.naming import places

BLOCK = ("conv1.weight", "conv2.weight", "bn1.weight")


def layers(names: Iterable[str], name_map: Path | None = None) -> list[int | None]:
    """The layer of each name of one file, in their order."""
    placed = places(dict.fromkeys(names, (8, 8)), {}, name_map=name_map)
    return [made[0].layer for made in placed.values()]


def test_blocks_that_are_alike() -> None:
    """The blocks of all stages are counted; a first block may have more modules."""
    names = [f"blocks.{s}.{b}.{name}" for s in (0, 1) for b in (0, 1, 2) for name in BLOCK]
    assert layers([*names, "blocks.1.0.downsample.0.weight"]) == [
        *(index for index in range(6) for _ in BLOCK),
        3,
    ]


@pytest.mark.parametrize(
    "parts",
    [
        ({"norm.weight", "to_qkv.weight"}, {"norm.weight", "net.0.weight", "net.3.weight"}),
        ({"attn.q.weight"}, {"attn.q.weight"}, {"mlp.up.weight"}),  # space, time, MLP
    ],
)
def test_parts_of_a_layer(parts: tuple[set[str], ...]) -> None:
    """Where most neighbours differ, the first number alone is the layer."""
    names = [
        f"layers.{i}.{number}.{name}"
        for i in range(3)
        for number, part in enumerate(parts)
        for name in sorted(part)
    ]
    assert layers(names) == [int(name.split(".")[1]) for name in names]


def test_shapes_distinguish_parts() -> None:
    """Equal names of another number of dimensions are other modules."""
    dims = {"0.fn.0.weight": (8, 8, 1), "1.fn.0.weight": (8, 8)}
    names = {f"blocks.{i}.{name}": shape for i in range(2) for name, shape in dims.items()}
    assert [made[0].layer for made in places(names, {}).values()] == [0, 0, 1, 1]


def test_modules_of_a_sequence_are_no_blocks() -> None:
    """A number with nothing but a weight below is a position: convolution and norm of a layer."""
    names = [f"features.{i}.{position}.weight" for i in range(3) for position in (0, 1)]
    assert layers(names) == [0, 0, 1, 1, 2, 2]


def test_what_lies_between_stages_has_no_layer() -> None:
    """The number of a stem is that of a stage."""
    blocks = [f"features.{s}.{b}.conv1.weight" for s in (1, 2) for b in (0, 1)]
    assert layers(["features.0.0.weight", *blocks, "features.3.0.weight"]) == [
        None,
        *range(4),
        None,
    ]


def test_the_layers_of_the_user_stay(tmp_path: Path) -> None:
    """A rule that captures one number counts by it, and so do the other names beside it."""
    (tmp_path / "map.toml").write_text(
        "[[rule]]\nregex = 'blocks\\.<L>\\.[01]\\.special'\nrole = 'attn.q'\n"
    )
    names = [f"blocks.{s}.{b}.{name}" for s in (0, 1) for b in (0, 1) for name in BLOCK]
    special = "blocks.1.1.special"
    expected = [int(name.split(".")[1]) for name in names]
    assert layers([*names, special], tmp_path / "map.toml") == [*expected, 1]
    assert layers([*names, special])[-1] == 3
