"""`--top N`: the elements of all pairs that differ most, with their values in A and in B."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from ...columns import Column
from ...sketches.top_changes import TopChanges
from ...statistics.pairs import labels
from ...statistics.statistic import At

if TYPE_CHECKING:
    from ..measuring import Answer

COLUMNS = (
    Column("row", "int", "row, from 0, in math orientation (outputs)", shown=True),
    Column("col", "int", "column, from 0, in math orientation (inputs)", shown=True),
    Column("delta", "float", "b - a", "weight", shown=True),
    Column("a", "float", "the element of A", "weight", shown=True),
    Column("b", "float", "the element of B", "weight", shown=True),
)
TOP_BESIDE = {labels.DELTA: (labels.A, labels.B)}


def top_of(n: int) -> TopChanges:
    """The measure, taken of the difference."""
    return TopChanges(n, (labels.A, labels.B))


def largest(changes: Iterable[dict[str, Any]], n: int) -> list[dict[str, Any]]:
    """The n elements of largest |b - a| over all pairs; ties by tensor, row and column."""
    return nsmallest(n, changes, key=lambda change: -abs(change["delta"]))


def changes_of(answer: Answer, n: int) -> Iterator[dict[str, Any]]:
    """The n elements of a pair that differ most."""
    top = answer.sketches.get(At(labels.DELTA, top_of(n)))
    if top is None:
        return
    for row, col, a, b in zip(
        top.rows.tolist(), top.cols.tolist(), top.a.tolist(), top.b.tolist(), strict=True
    ):
        if a == b:
            return
        yield {
            "tensor": answer.piece.name,
            "row": row,
            "col": col,
            "delta": b - a,
            "a": a,
            "b": b,
        }
