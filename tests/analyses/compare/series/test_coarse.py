"""Counts in few cells draw the curve of all cells."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.analyses.compare.picture import law_curve
from weightscope.analyses.compare.series.coarse import coarse
from weightscope.checkpoints import open_checkpoint
from weightscope.engine import Session, Unit
from weightscope.running import Running
from weightscope.sketches import Count, ValueCounts


def test_few_cells_draw_the_same_curve() -> None:
    """A hundredth of the cells, the same sums, densities within a percent of the highest."""
    draw = torch.Generator().manual_seed(0)
    (entry,) = open_checkpoint({"w": torch.randn(200, 300, generator=draw) * 0.02 + 0.01}).tensors
    unit = Unit("w", {"": entry}, {"": frozenset({Count()})})
    (measured,) = Session(Running(device="cpu"), None)([unit], lambda one: {})
    counts = measured.sketches[""][Count()]
    few = coarse(counts)
    assert len(few.value) < 1000 < len(counts.value) / 50
    assert (few.n, few.std, few.counts.sum()) == (counts.n, counts.std, counts.counts.sum())
    assert not few.exact
    a, b = (law_curve("A", one, counts.mean, counts.std) for one in (counts, few))
    assert a.x == pytest.approx(b.x)
    assert np.abs(a.y - b.y).max() < 0.02 * a.y.max()
    again = coarse(few + few)
    assert len(again.value) <= len(few.value)
    assert again.counts.sum() == 2 * counts.counts.sum()


def test_a_constant_stays() -> None:
    """Nothing to join."""
    none = ValueCounts()
    assert coarse(none) is none
