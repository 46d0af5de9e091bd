"""Layers of files without the usual containers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from weightscope.naming import places

Layers = Mapping[str, int | None]


def layers(*names: str) -> Layers:
    """The layer of each name of one file."""
    return {name: made[0].layer for name, made in places(dict.fromkeys(names, (8, 8)), {}).items()}


@pytest.mark.parametrize("container", ["", "net.", "model.", "actor.net."])
def test_a_sequence(container: str) -> None:
    """Numbers of one nn.Sequential are layers, at the root too."""
    names = [f"{container}{i}.weight" for i in (0, 2, 4)]
    assert list(layers(*names).values()) == [0, 2, 4]


def test_sequences_beside_each_other_are_stacks() -> None:
    """Each sequence counts for itself, and is the stack."""
    made = places(
        dict.fromkeys(
            ("actor.0.weight", "actor.2.weight", "critic.0.weight", "critic.2.weight"), (8, 8)
        ),
        {},
    )
    assert [(p.stack, p.layer) for parts in made.values() for p in parts] == [
        ("actor", 0),
        ("actor", 2),
        ("critic", 0),
        ("critic", 2),
    ]


def test_stages_are_flattened() -> None:
    """Layers in numbered containers count on through these."""
    names = [f"mixers.{s}.mixer_layers.{b}.mlp.fc1.weight" for s in range(2) for b in range(3)]
    assert list(layers(*names).values()) == list(range(6))


def test_positions_in_a_block_are_no_layers() -> None:
    """The outer number is the layer where the inner one is a position or counts another list."""
    assert list(
        layers("body.0.body.0.weight", "body.0.body.2.weight", "body.1.body.0.weight").values()
    ) == [0, 0, 1]
    assert list(
        layers("trunk.0.branches.1.conv.weight", "trunk.3.branches.0.conv.weight").values()
    ) == [0, 3]


@pytest.mark.parametrize(
    "names",
    [
        ("conv1.0.weight", "conv2.0.weight", "conv3.0.weight"),  # lists of one element
        ("a.0.b.1.c.2.d.weight", "a.1.b.1.c.2.d.weight"),  # three lists
        ("fc1.weight", "fc2.weight"),
        ("a.9999999.weight", "a.8888888.weight"),
        ("a.²³.weight", "a.٣.weight"),
        ("optimizer.state.0.exp_avg", "optimizer.state.1.exp_avg"),  # parameters, not layers
    ],
)
def test_what_has_no_layer(names: tuple[str, ...]) -> None:
    """Nothing is made of numbers that are not those of one list, or of two."""
    assert set(layers(*names).values()) == {None}


def test_usual_containers_are_enough() -> None:
    """Beside layers in a usual container other numbers say nothing of depth."""
    assert list(layers("h.3.attn.weight", "head.0.weight", "head.2.weight").values()) == [
        3,
        None,
        None,
    ]


@pytest.mark.parametrize(("stage", "block"), [("0", "1"), ("1", "0")])
def test_blocks_directly_in_stages(stage: str, block: str) -> None:
    """`stages.S.B` are blocks in stages."""
    names = [f"stages.{s}.{b}.conv1.weight" for s in range(2) for b in range(2)]
    assert layers(*names)[f"stages.{stage}.{block}.conv1.weight"] == 2 * int(stage) + int(block)


def test_an_rnn_takes_no_layers_from_a_sequence() -> None:
    """Numbers of a sequence are layers beside an RNN, whose own layers its names state."""
    names = layers("cnn.0.weight", "cnn.3.weight", "rnn.weight_ih_l0", "rnn.weight_ih_l1")
    assert list(names.values()) == [0, 3, 0, 1]


def test_a_rule_of_ones_own_takes_no_layers_from_others(tmp_path: Path) -> None:
    """A name map that captures a layer leaves the other names of the container theirs."""
    (tmp_path / "map.toml").write_text("[[rule]]\nregex = 'net\\.<L>\\.special'\nrole = 'attn.q'\n")
    names = dict.fromkeys(("net.0.mix.weight", "net.1.mix.weight", "net.1.special"), (8, 8))
    placed = places(names, {}, name_map=tmp_path / "map.toml")
    assert [place.layer for (place,) in placed.values()] == [0, 1, 1]
