"""Samples of the matrices of a family: 64 lines along the storage, 1,024 positions of each.

Sampled are the positions that any candidate map pairs, so that all maps are compared on one read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from ....checkpoints import Entry
from ....checkpoints.views import Chosen, Indices, Transpose
from ....engine.unit import Measured, Unit
from ....geometry import Shape
from ....sketches import Kept
from ....statistics.lineage import Axis, axis_of
from ...piece import Piece

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....lazy import numpy as np

LINES = 64  # read of each matrix
ACROSS = 1024  # positions of each line


@dataclass(frozen=True, eq=False)
class Plan:
    """The rows and columns that are sampled of matrices of two shapes."""

    rows: Axis
    columns: Axis
    by_columns: bool  # all matrices are stored column by column

    def unit_of_a(self, piece: Piece) -> Unit:
        """The sampled lines of a matrix of A, those along the storage as rows."""
        return self._unit(piece, self.rows.needed_a, self.columns.needed_a)

    def unit_of_b(self, piece: Piece) -> Unit:
        """The sampled lines of a matrix of B."""
        return self._unit(piece, self.rows.needed_b, self.columns.needed_b)

    def values(self, measured: Measured) -> NDArray[np.float32] | None:
        """The sampled values, (rows, columns); None where they do not fit into memory."""
        kept = measured.sketches[""].get(Kept())
        if kept is None:
            return None
        values: NDArray[np.float32] = kept.values
        return values.T if self.by_columns else values

    def _unit(self, piece: Piece, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Unit:
        assert piece.entry is not None
        entry: Entry = Chosen(piece.entry, Indices.of(rows), Indices.of(columns))
        if self.by_columns:
            entry = Transpose(entry)
        return Unit(piece, {"": entry}, {"": frozenset({Kept()})})


def plan_of(pieces: Iterable[Piece], shape_a: Shape, shape_b: Shape) -> Plan:
    """The candidate maps of both axes, and the lines to sample."""
    cuts = set()
    block = 1
    for piece in pieces:
        assert piece.entry is not None
        cuts.add(piece.entry.cut)
        block = max(block, kernel(piece))
    by_columns = cuts == {1}
    rows, columns = (ACROSS, LINES) if by_columns else (LINES, ACROSS)
    return Plan(
        axis_of(shape_a[0], shape_b[0], rows),
        axis_of(shape_a[1], shape_b[1], columns, block),
        by_columns,
    )


def kernel(piece: Piece) -> int:
    """Columns of one input channel: the elements of a kernel, 1 of a matrix that has none."""
    if piece.place.kind != "conv":
        return 1
    return prod(piece.stored.dims[2:])
