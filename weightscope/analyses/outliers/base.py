"""`--base`: the rows of a matrix beside those of the checkpoint that this one came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...checkpoints import Entry
from ...columns import Column
from ...errors import UsageError
from ...notes import Note, united
from ...sketches import Hashes
from ..piece import Model, Piece
from .buffers import is_buffer

BASE = "base"  # the label of the base in a unit, and of its hashes among the sketches
CHANGES: frozenset[Any] = frozenset({Hashes()})  # what tells changed rows
AGAINST = (
    Column(
        "changed_rows", "int", "rows that differ from those of --base", shown=True, option="--base"
    ),
    Column(
        "untouched_rows",
        "int",
        "rows that are bit-identical to those of --base",
        shown=True,
        option="--base",
    ),
)
FEW = 3  # names in a sentence


def counterpart(piece: Piece, base: Mapping[str, Piece]) -> Entry | None:
    """The matrix of that name in the base, of the same shape and type."""
    other = base.get(piece.name)
    if piece.entry is None or other is None or other.entry is None or not piece.is_matrix:
        return None
    alike = (other.dtype, other.entry.shape) == (piece.dtype, piece.entry.shape)
    return other.entry if alike else None


def uncompared(model: Model) -> str:
    """Which matrices have no counterpart in the base; UsageError where none has: all clear would be a lie."""
    base = model.base.by_name if model.base else {}
    weights = [p for p in model.pieces if p.is_matrix and not is_buffer(p)]
    lone = [p.name for p in weights if counterpart(p, base) is None]
    if weights and len(lone) == len(weights):
        raise UsageError(
            "expected a base with tensors of the same names, shapes and types",
            f"found none of {len(weights)} matrices in it",
            "name what this checkpoint was made from",
        )
    more = f" and {len(lone) - FEW} more" if len(lone) > FEW else ""
    said = f"not compared, since the base has none of that name, shape and type: {', '.join(lone[:FEW])}{more}"
    return said if lone else ""


def changes(
    piece: Piece, base: Mapping[str, Piece], sketches: Mapping[Any, Any]
) -> dict[str, object]:
    """Rows that changed since the base, and rows that did not; nulls with the reason where there is no counterpart."""
    own, other = sketches.get(Hashes()), sketches.get(BASE)
    if own is not None and other is not None:
        changed = int((own.rows != other.rows).sum())
        return {"changed_rows": changed, "untouched_rows": len(own.rows) - changed}
    return {
        **dict.fromkeys(column.name for column in AGAINST),
        "notes": united(_reason(piece, base.get(piece.name))),
    }


def _reason(piece: Piece, other: Piece | None) -> Note | None:
    if other is None:
        return Note("not-in-base", "not in the base")
    alike = (other.shape, other.dtype) == (piece.shape, piece.dtype)
    return None if alike else Note("unlike-base", "another shape or type than in the base")
