"""Shuffling permutes all elements at random."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.dtypes import DTYPES
from weightscope.sketches import Count, Decompose, MarginSums, Shuffled
from weightscope.sketches.shuffled import permuted
from weightscope.sketches.tile import Scratch


@pytest.mark.parametrize("dtype", [d for d in DTYPES if DTYPES[d].kind != "none"])
def test_the_elements_stay(lab, dtype) -> None:
    """The counts after shuffling are the counts before, bit for bit."""
    stored = lab.bits(dtype, (2, 30, 50), 1)
    for before, after in zip(
        lab.take(Count(), stored, dtype), lab.take(Shuffled(Count()), stored, dtype), strict=True
    ):
        assert np.array_equal(before.counts, after.counts)
        assert np.array_equal(before.value, after.value)


def test_the_order_is_seeded() -> None:
    """One seed one order, another seed another; matrices of a stack are permuted alike."""
    x = torch.arange(2 * 30 * 50, dtype=torch.float32).view(2, 30, 50)
    again, other = permuted(x, 0), permuted(x, 1)
    assert torch.equal(permuted(x, 0), again)
    assert not torch.equal(again, other)
    assert not torch.equal(again, x)
    assert torch.equal(again[0] + 1500, again[1])
    assert torch.equal(permuted(x[1:], 0)[0], again[1])


def test_structure_is_gone(lab) -> None:
    """Differences of row scales disappear."""
    x = np.random.default_rng(0).normal(size=(1, 64, 64)) * np.exp(np.linspace(-1, 1, 64))[:, None]

    def spread(result) -> float:
        return float(np.log(result.rows["squares"]).std())

    stored = lab.numbers("F32", x)
    assert spread(lab.take(MarginSums(), stored, "F32")[0]) > 4 * spread(
        lab.take(Shuffled(MarginSums()), stored, "F32")[0]
    )


def test_the_stored_matrix_is_not_changed() -> None:
    """A copy is permuted, never the caller's tensor."""
    x = torch.arange(100.0).view(1, 10, 10)
    permuted(x, 0)
    assert torch.equal(x, torch.arange(100.0).view(1, 10, 10))


def test_a_tile_is_the_same_afterwards(lab) -> None:
    """Permuted tiles use the buffers of the tile, which other measures look at later."""
    stored = lab.bits("BF16", (2, 30, 50), 1)
    tile = lab.tile(stored, "BF16", lab.boxes((30, 50), 0, [])[0], 0, Scratch())
    before = [x.clone() for x in (tile.values, tile.patterns)]
    shuffled = Shuffled(Decompose(svd=True))
    shuffled.add(shuffled.start(2, (30, 50), "BF16", "cpu"), tile)
    counted = Shuffled(Count())
    counted.add(counted.start(2, (30, 50), "BF16", "cpu"), tile)
    for x, after in zip(before, (tile.values, tile.patterns), strict=True):
        assert torch.equal(x.view(torch.int32), after.view(torch.int32))
