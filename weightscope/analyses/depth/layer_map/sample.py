"""The sample of a matrix: 64 evenly spaced rows as stored, at up to 4,096 of their columns.

Of a matrix that is stored column by column, 64 of its columns: only these are read. Matrices of one
role have one shape and one layout, so that their samples are the same elements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....checkpoints import Entry
from ....checkpoints.views import Part, Transpose
from ....engine.unit import Measured, Unit
from ....geometry import Index, Shape
from ....notes import Notes
from ....sketches import Kept
from ...measuring import limits
from ...piece import Piece

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....lazy import numpy as np

ROWS = 64


@dataclass(frozen=True, eq=False)
class Sample:
    """The sampled values of a piece, (N,) float32; None where they do not fit into memory."""

    piece: Piece
    values: NDArray[np.float32] | None
    notes: Notes = ()


def unit_of(piece: Piece, columns: bool) -> Unit:
    """The sampled rows of a matrix, or its sampled columns, as rows."""
    assert piece.entry is not None
    entry = piece.entry
    if columns:
        entry = Transpose(entry)
    return Unit(piece, {"": _spaced(entry)}, {"": frozenset({Kept()})})


def _spaced(entry: Entry) -> Entry:
    height, _ = entry.shape
    if height <= ROWS:
        return entry
    # rows 0, step, 2 step ..., so that a run of one row is read for each
    return Part(entry, Index(0, 1, ROWS, height // ROWS))


def sample_of(measured: Measured) -> Sample:
    """The values of one unit."""
    piece = measured.unit.key
    kept = measured.sketches[""].get(Kept())
    values = None
    if kept is not None:
        values = kept.values.ravel()
    return Sample(piece, values, limits((measured,)))


def likeness(piece: Piece) -> Shape:
    """What two matrices need to share to be compared."""
    assert piece.entry is not None
    return piece.entry.shape


def by_columns(pieces: Sequence[Piece]) -> Mapping[Shape, bool]:
    """By shape whether all matrices of a role are stored column by column."""
    cuts: dict[Shape, set[int]] = {}
    for piece in pieces:
        assert piece.entry is not None
        cuts.setdefault(likeness(piece), set()).add(piece.entry.cut)
    return {shape: axes == {1} for shape, axes in cuts.items()}


def units(pieces: Sequence[Piece]) -> Iterator[Unit]:
    """One unit for each matrix of a role."""
    columns = by_columns(pieces)
    for piece in pieces:
        yield unit_of(piece, columns[likeness(piece)])
