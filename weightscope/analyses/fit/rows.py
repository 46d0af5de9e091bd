"""fit: which law do the weights follow, how well, and are they i.i.d.?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import isnan
from typing import Any

from ...columns import Block, Column, Panel, Row, titled
from ...engine.unit import Measured, Measurer, Unit
from ...sketches import Count, ValueCounts
from ...statistics.moments import BEYOND
from ...statistics.readings import CODING, LAWS, LINES, MOMENTS, SHAPE, core
from ...statistics.statistic import Evidence, Statistic, chosen, evaluate, needed
from .. import pieces
from ..analysis import Analysis, Model, Piece
from ..groups import grouped, keys_of, spread, with_spread
from ..identity import NOTE, SOURCE, TENSOR, of_tensor, sourced
from ..notes import joined
from .long import LONG, law_rows
from .options import FitOptions
from .picture import HISTOGRAM, heights, panel

CELLS = (
    Column("tensor", "str", "name as stored"),
    Column("low", "float", "lower edge of the cell", "weight"),
    Column("high", "float", "upper edge of the cell", "weight"),
    Column("count", "int", "weights in the cell"),
)
ALWAYS = (MOMENTS, LAWS, SHAPE, LINES)
GIVE_WAY = ("best", "pattern", "row_spread")


def statistics(o: FitOptions) -> tuple[Statistic, ...]:
    """The usual four, the balanced core with --balance, coding costs with --coding."""
    return ALWAYS + ((core(o.seed),) if o.balance else ()) + ((CODING,) if o.coding else ())


def columns(o: FitOptions) -> tuple[Column, ...]:
    """Identity, statistics, note."""
    source = (SOURCE,) if o.several else ()
    drawn = (HISTOGRAM,) if o.histogram and not o.long else ()
    asked = tuple(_beside(s, o) for s in statistics(o))
    if o.by != "tensor":
        keys = tuple(replace(c, shown=c.shown and c.name != "params") for c in keys_of(o.by))
        return (*source, *keys, *drawn, *(LONG if o.long else with_spread(asked)), NOTE)
    if o.long:
        return (*source, TENSOR[0], *LONG, NOTE)
    named = tuple(replace(c, shown=c.name == "tensor") for c in TENSOR)
    return (*source, *named, *drawn, *(c for s in asked for c in s.columns), NOTE)


def _beside(statistic: Statistic, o: FitOptions) -> Statistic:
    """With --balance a terminal's width goes to beta, balanced beta and its null, side by side."""
    hidden = GIVE_WAY if o.balance else ()
    shown = (replace(c, shown=c.shown and c.name not in hidden) for c in statistic.columns)
    return replace(statistic, columns=tuple(shown))


def optional(o: FitOptions) -> Mapping[str, str]:
    """Columns that another option would bring."""
    single = "a run without --long" if o.long else "--by tensor"
    own = [c for s in statistics(FitOptions(balance=True, coding=True)) for c in s.columns]
    grouped_by = (*keys_of("role"), *keys_of("layer"), *with_spread(statistics(FitOptions())))
    return (
        {c.name: "--by role" for c in grouped_by}
        | {c.name: "--long" for c in LONG}
        | {c.name: single for c in TENSOR}
        | {c.name: c.option or single for c in own}
        | {"source": "several MODELs"}
    )


def rows(models: Sequence[Model], o: FitOptions, measure: Measurer) -> Iterator[Row | Panel | Block]:
    """One row a tensor, a group, or a law of either; then its cells and its picture where they were asked for."""
    if o.counts:
        yield _cells(ValueCounts(), {})  # the table is there also where nothing was counted
    for model in models:
        own = sourced(models, model)
        answers = _answers(model, o, measure)
        if o.by != "tensor":
            yield from _groups(answers, o, own)
            continue
        for piece, values, sketches in answers:
            lost = (piece.name,) if _is_lost(values["note"]) else ()
            yield from _lines({**own, **of_tensor(piece), **values}, sketches, o, {**own, "tensor": piece.name}, lost)


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
            yield Row({**values, **law, "note": joined(values["note"], law.get("note"))}, lost)
    else:
        yield Row({**values, "histogram": heights(counts)} if o.histogram else values, lost)
    if counts is not None and o.counts:
        yield _cells(counts, of)
    if o.panels:
        yield panel(counts, of, values.get("best"))


def _cells(counts: ValueCounts, of: Mapping[str, object]) -> Block:
    arrays = {"low": counts.low, "high": counts.high, "count": counts.counts}
    return Block(arrays, {"tensor": titled(of)}, "counts", CELLS)


def _answers(
    model: Model, o: FitOptions, measure: Measurer
) -> Iterator[tuple[Piece, Mapping[str, object], Mapping[Any, Any]]]:
    """Every piece with its values and its counts, in order; what cannot be measured is a note."""
    asked = () if o.long else chosen(statistics(o), o.wanted)
    units = [Unit(p, {"": p.entry}, {"": _wants(p, o, asked)}) for p in model.pieces if p.entry is not None]
    measured = measure(units, partial(_each, asked))
    for piece in model.pieces:
        if piece.entry is None:
            yield piece, {c.name: None for s in asked for c in s.columns} | {"note": piece.note}, {}
        else:
            answer = next(measured)
            yield piece, answer.values, {m: s for m, s in answer.sketches[""].items() if isinstance(s, ValueCounts)}


def _wants(piece: Piece, o: FitOptions, asked: Sequence[Statistic]) -> frozenset[Any]:
    """Vectors have element statistics only."""
    wants = needed(asked) | ({Count()} if o.long or o.counts or o.panels or o.histogram else frozenset())
    return wants if piece.is_matrix else wants & {Count()}


def _each(asked: Sequence[Statistic], measured: Measured) -> Mapping[str, object]:
    """The values of one tensor, made beside the reading."""
    piece: Piece = measured.unit.key
    sketches = measured.sketches[""]
    shape = piece.entry.shape if piece.entry else None
    values = evaluate(asked, Evidence(sketches, shape, piece.dtype, piece.place.kind))
    missing = any(not s.needs <= sketches.keys() for s in asked)
    vector = missing and piece.params and not piece.is_matrix
    said = "a vector: element statistics only" if vector else ""
    counts = sketches.get(Count())
    beyond = BEYOND if counts is not None and counts.n and isnan(counts.std) else ""
    return values | {"note": joined(piece.note, said, measured.note, beyond, values["note"])}


def _is_lost(note: object) -> bool:
    """Whether a tensor was read and has neither a spread nor a law."""
    return BEYOND in str(note).split("; ")


def _groups(
    answers: Iterator[tuple[Piece, Mapping[str, object], Mapping[Any, Any]]],
    o: FitOptions,
    own: Mapping[str, object],
) -> Iterator[Row | Panel | Block]:
    """Pooled statistics beside their spread over the tensors."""
    asked = () if o.long else chosen(statistics(o), o.wanted)
    for group in grouped(answers, o.by):
        values = evaluate(asked, Evidence(group.pooled, None, kind=str(group.keys["kind"])))
        around = dict(spread(group, [c for s in asked for c in s.columns]))
        sizes = {"tensors": len(group.values), "params": group.params}
        values["note"] = joined(values["note"], group.noted)
        of = {**own, **group.keys}
        lost = tuple(name for name, said in group.notes.items() if BEYOND in said)
        yield from _lines({**of, **sizes, **around, **values}, group.pooled, o, of, lost)


FIT = Analysis("fit", FitOptions, columns, optional, rows, pieces.measured, draws=True)
