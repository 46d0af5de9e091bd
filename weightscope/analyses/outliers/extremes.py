"""`--top` and `--top-rows`: the single weights and the rows furthest out, one line each, the furthest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from ...columns import Column
from ...sketches import Beyond, Margins, Top
from ...statistics.lines.margins import MARGINS
from ...statistics.lines.marked_lines import row_z

if TYPE_CHECKING:
    from ..measuring import Answer

Line = dict[str, Any]
WEIGHTS = (
    Column("row", "int", "row, from 0, in math orientation (outputs)", shown=True),
    Column("col", "int", "column, from 0, in math orientation (inputs)", shown=True),
    Column("value", "float", "the weight", "weight", shown=True),
    Column("z", "float", "(value - mean)/std of its tensor", "std", shown=True),
)
ROWS = (
    WEIGHTS[0],
    Column("rms", "float", "root mean square of the row", "weight", shown=True),
    Column("z", "float", "log RMS from the median row, in 1.4826 MAD", "MAD", shown=True),
)


def top_weights(found: Iterable[Answer], n: int) -> list[Line]:
    """The n weights of largest |z| over all tensors; equals in the order of tensors, rows and columns."""
    every = (line for answer in found for line in _weights(answer, n))
    return nsmallest(n, every, key=lambda line: -abs(line["z"]))


def _weights(answer: Answer, n: int) -> Iterator[Line]:
    top, counted = answer.sketches.get(Top(n)), answer.sketches.get(Beyond())
    if top is None or counted is None or not counted.counts.std > 0:
        return
    mean, std = counted.counts.mean, counted.counts.std
    for i in top.furthest(mean, n).tolist():
        value = float(top.values[i])
        place = {"row": int(top.rows[i]), "col": int(top.cols[i])}
        yield {"tensor": answer.piece.name, **place, "value": value, "z": (value - mean) / std}


def top_rows(found: Iterable[Answer], n: int) -> list[Line]:
    """The n rows of largest |z| over all matrices; equals in the order of tensors and rows."""
    every = (line for answer in found for line in _rows(answer, n))
    return nsmallest(n, every, key=lambda line: -abs(line["z"]))


def _rows(answer: Answer, n: int) -> Iterator[Line]:
    margins: Margins | None = answer.sketches.get(MARGINS)
    if margins is None:
        return
    rms, z = row_z(margins.rows, len(margins.cols["sum"]))
    for i in nsmallest(n, range(len(z)), key=lambda i: -abs(z[i])):
        if z[i] == z[i]:
            yield {"tensor": answer.piece.name, "row": i, "rms": float(rms[i]), "z": float(z[i])}
