"""`--base`: the rows of a matrix compared with those of the checkpoint that it was made from."""

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
CHANGES: frozenset[Any] = frozenset({Hashes()})  # the measures that detect changed rows
AGAINST = (
    Column(
        "changed_rows",
        "int",
        "rows that differ from those of --base",
        shown=True,
        option="--base",
    ),
    Column(
        "untouched_rows",
        "int",
        "rows that are bit-identical to those of --base",
        shown=True,
        option="--base",
    ),
)
FEW = 3  # names in a message


def counterpart(piece: Piece, base: Mapping[str, Piece]) -> Entry | None:
    """The matrix of that name in the base, of the same shape and type; None where there is none."""
    other = base.get(piece.name)
    if piece.entry is None or not piece.is_matrix:
        return None
    if other is None or other.entry is None:
        return None
    # The shape in math orientation: a transposed matrix in the base is comparable.
    if (other.dtype, other.entry.shape) != (piece.dtype, piece.entry.shape):
        return None
    return other.entry


def uncompared(model: Model) -> str:
    """Message that names the matrices without a counterpart; UsageError where no matrix has one.

    Without an error such a run would report that no row has changed.
    """
    if model.base is None:
        return ""
    base = model.base.by_name
    matrices = [piece for piece in model.pieces if piece.is_matrix and not is_buffer(piece)]
    unmatched = [piece.name for piece in matrices if counterpart(piece, base) is None]
    if not unmatched:
        return ""
    if len(unmatched) == len(matrices):
        raise UsageError(
            "expected a base with tensors of the same names, shapes and types",
            f"found none of {len(matrices)} matrices in it",
            "name the checkpoint that this one was made from",
        )
    names = ", ".join(unmatched[:FEW])
    if len(unmatched) > FEW:
        names += f" and {len(unmatched) - FEW} more"
    return f"not compared, since the base has none of that name, shape and type: {names}"


def changes(
    piece: Piece, base: Mapping[str, Piece], sketches: Mapping[Any, Any]
) -> dict[str, object]:
    """Numbers of changed and unchanged rows; nulls with the reason without a counterpart."""
    hashes = sketches.get(Hashes())
    base_hashes = sketches.get(BASE)
    if hashes is not None and base_hashes is not None:
        changed = int((hashes.rows != base_hashes.rows).sum())
        return {"changed_rows": changed, "untouched_rows": len(hashes.rows) - changed}
    nulls: dict[str, object] = {column.name: None for column in AGAINST}
    return {**nulls, "notes": united(_reason(piece, base.get(piece.name)))}


def _reason(piece: Piece, other: Piece | None) -> Note | None:
    """Why a piece has no counterpart; None for vectors and buffers of the same shape and type."""
    if other is None:
        return Note("not-in-base", "not in the base")
    if (other.shape, other.dtype) != (piece.shape, piece.dtype):
        return Note("unlike-base", "another shape or type than in the base")
    return None
