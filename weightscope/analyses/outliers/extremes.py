"""`--top` and `--top-rows`: the single weights and the rows with the largest |z|, in that order."""

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

Values = dict[str, Any]
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


def top_weights(answers: Iterable[Answer], n: int) -> list[Values]:
    """The n weights of largest |z| over all tensors; ties by tensor, row and column."""
    weights: list[Values] = []
    for answer in answers:
        weights += _weights(answer, n)
    return nsmallest(n, weights, key=lambda weight: -abs(weight["z"]))


def _weights(answer: Answer, n: int) -> Iterator[Values]:
    top = answer.sketches.get(Top(n))
    beyond = answer.sketches.get(Beyond())
    # Not std <= 0: it is NaN where squares overflow.
    if top is None or beyond is None or not beyond.counts.std > 0:
        return
    mean, std = beyond.counts.mean, beyond.counts.std
    for i in top.furthest(mean, n).tolist():
        value = float(top.values[i])
        yield {
            "tensor": answer.piece.name,
            "row": int(top.rows[i]),
            "col": int(top.cols[i]),
            "value": value,
            "z": (value - mean) / std,
        }


def top_rows(answers: Iterable[Answer], n: int) -> list[Values]:
    """The n rows of largest |z| over all matrices; ties by tensor and row."""
    rows: list[Values] = []
    for answer in answers:
        rows += _rows(answer, n)
    return nsmallest(n, rows, key=lambda row: -abs(row["z"]))


def _rows(answer: Answer, n: int) -> Iterator[Values]:
    margins: Margins | None = answer.sketches.get(MARGINS)
    if margins is None:
        return
    width = len(margins.cols["sum"])
    rms, z = row_z(margins.rows, width)
    for i in nsmallest(n, range(len(z)), key=lambda i: -abs(z[i])):
        if z[i] == z[i]:  # NaN: a row of zeros, or not all finite
            yield {"tensor": answer.piece.name, "row": i, "rms": float(rms[i]), "z": float(z[i])}
