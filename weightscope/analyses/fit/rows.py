"""The rows of `fit`: one per tensor, group, or law of either; cells and pictures on request."""

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
    """One row per tensor, group, or law of either, each followed by its cells and its picture."""
    if o.counts:
        yield _cells(ValueCounts(), {})  # an empty table where nothing is counted
    for model in models:
        source = sourced(o.several, model)
        measured = answers(model.pieces, FitRequest(o), measure)
        if o.by == "tensor":
            yield from _tensors(measured, o, source)
        else:
            yield from _groups(measured, o, source)


def _tensors(
    measured: Iterator[Answer], o: FitOptions, source: Mapping[str, object]
) -> Iterator[Row | Panel | Block]:
    for answer in measured:
        piece, values = answer.piece, answer.values
        row = {**source, **of_tensor(piece), **values}
        of = {**source, "tensor": piece.name}
        failed: tuple[str, ...] = ()
        if _is_failed(notes_of(values)):
            failed = (piece.name,)
        yield from _rows_of(row, answer.sketches, o, of, failed)


def _groups(
    measured: Iterator[Answer], o: FitOptions, source: Mapping[str, object]
) -> Iterator[Row | Panel | Block]:
    """Pooled statistics and their spread over the tensors."""
    statistics = FitRequest(o).statistics
    columns = [column for statistic in statistics for column in statistic.columns]
    triples = ((answer.piece, answer.values, _counts(answer)) for answer in measured)
    for group in grouped(triples, o.by):
        row = {**source, **pooled(group, statistics, columns)}
        of = {**source, **group.keys}
        failed = tuple(name for name, notes in group.notes.items() if _is_failed(notes))
        yield from _rows_of(row, group.pooled, o, of, failed)


def _rows_of(
    values: Mapping[str, object],
    sketches: Mapping[Any, Any],
    o: FitOptions,
    of: Mapping[str, object],
    failed: tuple[str, ...],
) -> Iterator[Row | Panel | Block]:
    """The rows, cells and picture of one tensor or group.

    `of` are the columns that identify it, `failed` the tensors that --strict reports.
    """
    counts = sketches.get(Count())
    if o.long:
        for law in law_rows(counts):
            notes = united(notes_of(values), notes_of(law))
            yield row_of({**values, **law, "notes": notes}, failed)
    elif o.histogram:
        yield row_of({**values, "histogram": heights(counts)}, failed)
    else:
        yield row_of(values, failed)
    if counts is not None and o.counts:
        yield _cells(counts, of)
    if o.panels:
        yield panel(counts, of, values.get("best"))


def _cells(counts: ValueCounts, of: Mapping[str, object]) -> Block:
    arrays = {"low": counts.low, "high": counts.high, "count": counts.counts}
    return Block(arrays, {"tensor": titled(of)}, "counts", CELLS)


def _is_failed(notes: Notes) -> bool:
    """Whether a tensor was read but has neither a std nor a law, since squares overflow."""
    return any(note.code == BEYOND.code for note in notes)


def _counts(answer: Answer) -> Mapping[Any, Any]:
    """The sketches that pool: rows and columns of different matrices cannot be added."""
    return {
        measure: sketch
        for measure, sketch in answer.sketches.items()
        if isinstance(sketch, ValueCounts)
    }


ANSWERING = Answering(columns, optional, rows, partial(gathered, pieces.measured))
