"""`--base`: the rows of a matrix compared with those of the checkpoint that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...checkpoints import Entry
from ...columns import Column
from ...errors import UsageError
from ...escape import escaped
from ...notes import Note, united
from ...sketches import Hashes
from ..piece import Model, Piece
from ..selection import Selection

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


def unlike(model: Model, selection: Selection, options: Any) -> UsageError | None:
    """The error of a model of which no matrix has a counterpart in the base.

    Without an error such a run would report that no row has changed.
    """
    matrices, unmatched = _matrices(model)
    if not unmatched or len(unmatched) < matrices:
        return None
    return UsageError(
        f"{escaped(model.source)}: expected a base with tensors of the same names, shapes and "
        "types",
        f"found none of {matrices} matrices in it",
        "name the checkpoint that this one was made from",
    )


def uncompared(model: Model) -> str:
    """Message that names the matrices without a counterpart."""
    _, unmatched = _matrices(model)
    if not unmatched:
        return ""
    names = ", ".join(unmatched[:FEW])
    if len(unmatched) > FEW:
        names += f" and {len(unmatched) - FEW} more"
    return f"not compared, since the base has none of that name, shape and type: {names}"


def _matrices(model: Model) -> tuple[int, list[str]]:
    """(the number of matrices, the names of those without a counterpart in the base)."""
    if model.base is None:
        return 0, []
    base = model.base.by_name
    matrices = [piece for piece in model.pieces if piece.is_matrix and piece.is_weight]
    return len(matrices), [piece.name for piece in matrices if counterpart(piece, base) is None]


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
