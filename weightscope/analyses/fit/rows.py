"""The rows of `fit`: one a tensor, a group, or a law of either; cells and pictures where they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ...columns import Block, Column, Found, Panel, Row, titled
from ...engine.unit import Measurer
from ...notes import Notes, notes_of, united
from ...sketches import Count, ValueCounts
from ...statistics.elements.moments import BEYOND
from .. import pieces
from ..analysis import Answering
from ..gathering import gathered
from ..measuring import Answer, answers
from ..piece import Model
from ..rows import grouped, of_tensor, pooled, row_of, sourced
from .columns import columns, optional
from .long import law_rows
from .options import FitOptions
from .picture import heights, panel
from .request import FitRequest

CELLS = (
    Column("tensor", "str", "name as stored"),
    Column("low", "float", "lower edge of the cell", "weight"),
    Column("high", "float", "upper edge of the cell", "weight"),
    Column("count", "int", "weights in the cell"),
)


def rows(models: Sequence[Model], o: FitOptions, measure: Measurer) -> Iterator[Found]:
    """One row a tensor, a group, or a law of either; then its cells and its picture where they were asked for."""
    if o.counts:
        yield _cells(ValueCounts(), {})  # the table is there also where nothing was counted
    for model in models:
        own = sourced(models, model)
        found = answers(model.pieces, FitRequest(o), measure)
        if o.by != "tensor":
            yield from _groups(found, o, own)
            continue
        for answer in found:
            piece, values = answer.piece, answer.values
            lost = (piece.name,) if _is_lost(notes_of(values)) else ()
            row = {**own, **of_tensor(piece), **values}
            yield from _lines(row, answer.sketches, o, {**own, "tensor": piece.name}, lost)


def _lines(
    values: Mapping[str, object],
    sketches: Mapping[Any, Any],
    o: FitOptions,
    of: Mapping[str, object],
    lost: tuple[str, ...],
) -> Iterator[Row | Panel | Block]:
    """What one measured thing answers; `of` is by what its rows are known, `lost` names what has no answer."""
    counts = sketches.get(Count())
    if o.long:
        for law in law_rows(counts):
            yield row_of({**values, **law, "notes": united(notes_of(values), notes_of(law))}, lost)
    else:
        yield row_of({**values, "histogram": heights(counts)} if o.histogram else values, lost)
    if counts is not None and o.counts:
        yield _cells(counts, of)
    if o.panels:
        yield panel(counts, of, values.get("best"))


def _cells(counts: ValueCounts, of: Mapping[str, object]) -> Block:
    arrays = {"low": counts.low, "high": counts.high, "count": counts.counts}
    return Block(arrays, {"tensor": titled(of)}, "counts", CELLS)


def _is_lost(notes: Notes) -> bool:
    """Whether a tensor was read and has neither a spread nor a law."""
    return any(note.code == BEYOND.code for note in notes)


def _groups(
    found: Iterator[Answer], o: FitOptions, own: Mapping[str, object]
) -> Iterator[Row | Panel | Block]:
    """Pooled statistics beside their spread over the tensors."""
    asked = FitRequest(o).statistics
    counted = ((answer.piece, answer.values, _counts(answer)) for answer in found)
    for group in grouped(counted, o.by):
        values = pooled(group, asked, [c for s in asked for c in s.columns])
        lost = tuple(name for name, notes in group.notes.items() if _is_lost(notes))
        yield from _lines({**own, **values}, group.pooled, o, {**own, **group.keys}, lost)


def _counts(answer: Answer) -> Mapping[Any, Any]:
    """What is pooled: rows and columns of different matrices have no sum."""
    return {
        measure: sketch
        for measure, sketch in answer.sketches.items()
        if isinstance(sketch, ValueCounts)
    }


ANSWERING = Answering(columns, optional, rows, partial(gathered, pieces.measured))
