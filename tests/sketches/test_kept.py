"""Kept values: which columns are kept of a wide matrix, whatever its tiles are."""

from __future__ import annotations

import pytest
import torch

from weightscope.geometry import Box
from weightscope.sketches import Kept, Scratch, Tile
from weightscope.sketches import kept as module


@pytest.mark.parametrize("border", [1, 4, 5, 7])
def test_every_third_column_of_any_tiles(monkeypatch, border):
    """Columns 0, 3 and 6 of 7, in two tiles that are folded apart and merged."""
    monkeypatch.setattr(module, "WIDEST", 3)
    matrix = torch.arange(14.0).view(1, 2, 7)
    measure = Kept()
    states = []
    for first, last in ((0, border), (border, 7)):
        box = Box((0, 2), (first, last))
        tile = Tile(matrix[:, :, first:last], "F32", box, (2, 7), 1, Scratch())
        states.append(measure.add(measure.start(1, (2, 7), "F32", "cpu"), tile))
    (record,) = measure.finish(measure.merge(*states))
    assert record.values.tolist() == matrix[0, :, ::3].tolist()
    assert measure.bytes((2, 7)) == record.values.nbytes


def test_payloads_of_nan_are_one(lab) -> None:
    """Widened half floats with any payload, alone and in a stack."""
    stored = lab.matrices("F16", (1, 13), 0, "bits", 3)
    together = lab.take(Kept(), stored, "F16")
    for i in range(3):
        alone = lab.take(Kept(), stored[i : i + 1].clone(), "F16")[0]
        assert lab.plain(together[i]) == lab.plain(alone)
