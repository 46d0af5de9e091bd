"""Pairs of rows: which are sampled, and that tiles of any cut give the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.sketches import RowPairs
from weightscope.sketches import row_pairs as module
from weightscope.sketches.row_pairs import sampled


@pytest.mark.parametrize("rows", [33, 64, 100, 1000, 3073])
def test_neighbours_begin_with_an_even_row(rows) -> None:
    """So that both are in one block of 128 rows; they are spread over the matrix."""
    chosen = np.array(sampled(rows)).reshape(-1, 2)
    assert len(chosen) == 16
    assert (chosen[:, 0] % 2 == 0).all()
    assert (chosen[:, 1] == chosen[:, 0] + 1).all()
    assert chosen.max() < rows
    assert np.diff(chosen[:, 0]).max() <= rows // 16 + 2


@pytest.mark.parametrize(("axis", "cuts"), [(0, ()), (0, (1, 40)), (1, (3, 6))])
def test_values_are_those_of_the_rows(lab, monkeypatch, axis, cuts) -> None:
    """The first columns of each sampled row, in the order of the matrix."""
    monkeypatch.setattr(module, "COLUMNS", 5)
    stored = torch.randn(2, 70, 9, generator=torch.Generator().manual_seed(1))
    records = lab.take(RowPairs(), stored, "F32", axis, cuts)
    for record, matrix in zip(records, stored, strict=True):
        assert record.values.tolist() == matrix[sampled(70), :5].double().tolist()


def test_pooled_samples_have_no_rows(lab) -> None:
    """Scales of different tensors differ."""
    record = lab.take(RowPairs(), torch.ones(1, 4, 4), "F32")[0]
    assert (record.forget() + record).values.size == 0
