"""Maps of a shorter axis into a longer one, against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.statistics.lineage import candidate_maps


def named(short: int, long: int, block: int = 1) -> dict[str, list[int]]:
    """The maps by name."""
    return {found.name: found.lines.tolist() for found in candidate_maps(short, long, block)}


def test_maps_are_those_of_the_formulas() -> None:
    """Step t/s where it is whole, rounded linspace, the first lines."""
    assert named(3, 6) == {
        "stride 2": [0, 2, 4],
        "linspace 1/2": [0, 2, 5],
        "first 1/2": [0, 1, 2],
    }
    assert named(4, 6) == {"linspace 2/3": [0, 2, 3, 5], "first 2/3": [0, 1, 2, 3]}


def test_equal_lengths_are_the_identity() -> None:
    """Nothing was chosen."""
    assert named(3, 3) == {"all": [0, 1, 2]}
    assert named(0, 0) == {"all": []}


def test_equal_maps_are_one() -> None:
    """A single line is the first, whatever the rule."""
    assert named(1, 4) == {"first 1/4": [0]}


@pytest.mark.parametrize("lengths", [(0, 4), (5, 4)])
def test_no_map_into_a_shorter_axis(lengths: tuple[int, int]) -> None:
    """Nor of nothing."""
    assert candidate_maps(*lengths) == ()


def test_channels_stay_together() -> None:
    """The map of channels, of all columns of each; columns that are no channels map alone."""
    assert named(4, 8, block=2)["stride 2"] == [0, 1, 4, 5]
    assert named(6, 8, block=2)["first 3/4"] == [0, 1, 2, 3, 4, 5]
    assert named(3, 6, block=2)["stride 2"] == [0, 2, 4]


@pytest.mark.parametrize("lengths", [(64, 96), (256, 384), (2048, 3072), (4096, 11008), (384, 768)])
def test_usual_widths_are_those_of_weight_selection(lengths: tuple[int, int]) -> None:
    """torch.linspace in float32, as the published code has it, gives the same lines."""
    short, long = lengths
    (spaced,) = (m for m in candidate_maps(short, long) if m.name.startswith("linspace"))
    assert np.array_equal(spaced.lines, torch.linspace(0, long - 1, short).round().long().numpy())
