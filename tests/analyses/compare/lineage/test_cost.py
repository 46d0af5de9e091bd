"""What a search reads and holds: a sample of each matrix, whatever its size."""

from __future__ import annotations

import pytest

from weightscope.analyses.compare.lineage.sampling import ACROSS, LINES, plan_of
from weightscope.analyses.piece import Piece
from weightscope.checkpoints import Stored
from weightscope.geometry import whole
from weightscope.naming import Place

MAPS = 3  # of rows, and of columns: stride, linspace, first


def piece(rows: int, columns: int, strides: tuple[int, int] | None = None) -> Piece:
    """A float32 matrix of a file that is never opened."""
    stored = Stored("w", (rows, columns), "F32", file="none", strides=strides)
    return Piece("w", Place(), stored, stored)


@pytest.mark.parametrize("side", [4096, 65_536])
def test_a_sample_does_not_grow_with_the_matrix(side: int) -> None:
    """At most 64 lines for each map, at 1,024 positions for each map: 2.3 MB."""
    a, b = piece(side, side), piece(side // 2, side // 2)
    plan = plan_of((a, b), (side, side), (side // 2, side // 2))
    for unit in (plan.unit_of_a(a), plan.unit_of_b(b)):
        rows, columns = unit.entries[""].shape
        assert rows <= MAPS * LINES
        assert columns <= MAPS * ACROSS
    rows, columns = plan.unit_of_b(b).entries[""].shape
    assert (rows, columns) == (LINES, ACROSS)


def test_a_sample_of_a_large_matrix_reads_few_of_its_lines() -> None:
    """192 of 16,384 rows; of a matrix that is stored by columns as many of its columns."""
    side = 16_384
    for strides in (None, (1, side)):
        a, b = piece(side, side, strides), piece(side // 2, side // 2, strides)
        plan = plan_of((a, b), (side, side), (side // 2, side // 2))
        entry = plan.unit_of_a(a).entries[""]
        spans = entry.needs(whole(entry.shape))
        read = sum(length for _, length in (span.bytes for span in spans))
        assert read <= 0.02 * 4 * side * side
