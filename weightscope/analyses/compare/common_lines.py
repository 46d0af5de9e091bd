"""Pairs that differ in the number of rows only: both reduced to the rows that both have.

An extended vocabulary has new rows behind the old ones. Whether the common rows mean the same is
decided by their cosine, not here.
"""

from __future__ import annotations

from dataclasses import replace

from ...checkpoints import Entry
from ...checkpoints.views import Part, Transpose
from ...geometry import Index
from ...notes import Note
from ..piece import Piece

COMMON_LINES = "common-lines"  # the note with the numbers of lines left out
Reduced = tuple[Piece, Piece, Note | None]  # with a note: they were reduced


def first_common(a: Piece, b: Piece) -> Reduced:
    """The pieces on their first common rows, of vectors elements; as they are in other cases."""
    if a.entry is None or b.entry is None or a.entry.shape == b.entry.shape:
        return a, b, None
    rows_a, columns_a = a.entry.shape
    rows_b, columns_b = b.entry.shape
    if _is_vector(a) and _is_vector(b) and rows_a == rows_b:
        common = min(columns_a, columns_b)
        note = _note("elements", common, columns_a, columns_b)
        return _first_columns(a, common), _first_columns(b, common), note
    if columns_a == columns_b:
        common = min(rows_a, rows_b)
        note = _note("rows", common, rows_a, rows_b)
        return _first_rows(a, common), _first_rows(b, common), note
    return a, b, None


def _note(what: str, common: int, in_a: int, in_b: int) -> Note:
    template = "{common} common {what}; left out: {in_a} of A, {in_b} of B"
    left_a, left_b = in_a - common, in_b - common
    return Note.of(COMMON_LINES, template, common=common, what=what, in_a=left_a, in_b=left_b)


def _is_vector(piece: Piece) -> bool:
    """Whether one row is all elements: a vector, or the bias of one expert."""
    return len(piece.stored.dims) == 1 or piece.place.kind in ("bias", "norm")


def _first_rows(piece: Piece, count: int) -> Piece:
    assert piece.entry is not None
    return replace(piece, entry=_first(piece.entry, count))


def _first_columns(piece: Piece, count: int) -> Piece:
    assert piece.entry is not None
    return replace(piece, entry=Transpose(_first(Transpose(piece.entry), count)))


def _first(entry: Entry, count: int) -> Entry:
    """The entry itself where it has no other rows."""
    rows, _ = entry.shape
    return entry if rows == count else Part(entry, Index(0, count))
