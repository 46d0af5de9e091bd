"""The rows of `outliers`: tensors or groups with findings, or lists of extreme weights or rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ...columns import Found, Message, Panel, Row
from ...engine.unit import Measurer
from ...escape import NAMED, listed
from ...notes import COLUMNS, notes_of, united
from ...sketches import Count
from .. import pieces
from ..analysis import Answering
from ..gathering import Setting, gathered, opened
from ..measuring import Answer, answers
from ..piece import Model, Piece
from ..rows import grouped, of_group, of_tensor, pooled, row_of, sourced
from .base import FEW, changes, uncompared, unlike
from .buffers import NONFINITE, is_buffer, is_checked, is_sound
from .columns import JUDGED, columns, optional
from .duplicates import DUPLICATE, duplicate_of
from .extremes import top_rows, top_weights
from .lines import marked
from .options import OutliersOptions
from .picture import panel
from .request import OutliersRequest
from .severities import NAN_OR_INF, gravest, judged
from .tables import is_infinite_mask, table_of

# Columns of the statistics with the measures that `duplicate_of` compares.
WITH_CONTENT = frozenset({"nan", "dead_rows"})


def models(sources: Sequence[Any], o: OutliersOptions, setting: Setting) -> tuple[Model, ...]:
    """The opened sources, each with the base."""
    chosen = gathered(pieces.everything, sources, o, setting)
    if o.base is None:
        return chosen
    checkpoint = opened(o.base, setting.opening)
    base = pieces.everything(checkpoint, setting.names)
    return tuple(replace(model, base=base) for model in chosen)


def rows(models: Sequence[Model], o: OutliersOptions, measure: Measurer) -> Iterator[Found]:
    """One row per tensor or group with its findings; or a list of extremes."""
    # A list: the remarks of all models precede the first row.
    yield from [Message(text) for model in models for text in _remarks(model)]
    severities: list[object] = []
    masks: list[str] = []
    for model in models:
        source = sourced(o.several, model)
        measured = _answers(model, o, measure, masks)
        if o.top:
            yield from (Row({**source, **weight}) for weight in top_weights(measured, o.top))
        elif o.top_rows:
            yield from (Row({**source, **row}) for row in top_rows(measured, o.top_rows))
        elif o.by != "tensor":
            # A list: the pictures of the tensors follow the rows of the groups.
            yield from _groups(list(measured), o, source)
        else:
            yield from _tensors(measured, o, source, severities)
    if masks:
        yield Message(_masks_left_out(masks), after=True)
    if o.by == "tensor" and not o.lists and _judges(o):
        yield Message(_total(severities), after=True)


def _remarks(model: Model) -> list[str]:
    """Messages about matrices that could not be compared, and about models without a weight."""
    remarks = [uncompared(model), _only_buffers(model)]
    return [text for text in remarks if text]


def _only_buffers(model: Model) -> str:
    """The number of checked buffers where there is no weight, and so perhaps no row."""
    if not model.pieces or any(piece.is_weight for piece in model.pieces):
        return ""
    tensors = _many(len(model.pieces), "tensor")
    checked = _many(sum(is_checked(piece) for piece in model.pieces), "buffer")
    return f"no weight among {tensors}; {checked} checked for NaN and Inf"


def _answers(
    model: Model, o: OutliersOptions, measure: Measurer, masks: list[str]
) -> Iterator[Answer]:
    """All weights in order, with their duplicates and changes, and the buffers with NaN or Inf.

    Masks of -Inf are no weights whatever their names: these are appended to `masks`.
    """
    base = model.base.by_name if model.base else {}
    weights = [piece for piece in model.pieces if piece.is_weight]
    measurable = sum(piece.entry is not None for piece in weights)
    request = OutliersRequest(o, _needed(o), base, single=measurable == 1)
    # Integer buffers cannot hold NaN: they have no units and no rows.
    candidates = [piece for piece in model.pieces if piece.is_weight or request.units(piece)]
    first_by_content: dict[object, str] = {}
    for answer in answers(candidates, request, measure):
        piece, sketches = answer.piece, answer.sketches
        if not piece.is_weight:
            if not _is_sound(answer):
                yield answer
            continue
        if piece.entry is None:
            yield answer  # nulls with the reason
            continue
        if is_infinite_mask(piece, sketches):
            masks.append(piece.name)
            continue
        since = {}
        if model.base:
            since = changes(piece, base, sketches)
        duplicate = duplicate_of(piece, sketches, first_by_content)
        notes = united(notes_of(answer.values), notes_of(since))
        values = {**answer.values, DUPLICATE.name: duplicate, **since, "notes": notes}
        yield replace(answer, values=values)


def _is_sound(answer: Answer) -> bool:
    """Whether a buffer needs no row; one that was not counted has a note (memory) and a row."""
    counts = answer.sketches.get(Count())
    return counts is not None and is_sound(answer.piece, counts)


def _needed(o: OutliersOptions) -> frozenset[str] | None:
    """The columns to compute, None for all.

    Findings depend on every column, and notes are about findings. Without these, the requested
    columns, and those whose measures `duplicate_of` needs.
    """
    if o.wanted is None:
        return None
    judged_columns = {column.name for column in JUDGED}
    if o.wanted & {*judged_columns, *COLUMNS}:
        return None
    if DUPLICATE.name in o.wanted:
        return o.wanted | WITH_CONTENT
    return o.wanted


def _judges(o: OutliersOptions) -> bool:
    """Whether rows have findings."""
    return _needed(o) is None


def _judged(answer: Answer, o: OutliersOptions) -> dict[str, object]:
    """The values of a piece, with its findings where every column was computed."""
    values = dict(answer.values)
    if not _judges(o):
        return values
    piece, sketches = answer.piece, answer.sketches
    table = partial(table_of, piece, sketches)
    ignored = frozenset(o.ignore)
    if is_buffer(piece) and _is_sound(answer):
        ignored |= {NAN_OR_INF}  # the -Inf of a mask
    return values | judged(values, piece, ignored, marked(sketches), table)


def _tensors(
    measured: Iterator[Answer],
    o: OutliersOptions,
    source: Mapping[str, object],
    severities: list[object],
) -> Iterator[Row | Panel]:
    """The row and the picture of each tensor; appends their severities."""
    for answer in measured:
        values = _judged(answer, o)
        severities.append(values.get("severity"))
        yield row_of({**source, **of_tensor(answer.piece), **values})
        if o.panels and answer.piece.is_weight:
            yield panel(answer, {**source, "tensor": answer.piece.name})


def _groups(
    measured: Sequence[Answer], o: OutliersOptions, source: Mapping[str, object]
) -> Iterator[Row | Panel]:
    """Pooled counts and energies, their spread, the gravest findings; pictures of tensors."""
    statistics = OutliersRequest(o, _needed(o)).statistics
    spread = [column for statistic in statistics for column in statistic.columns]
    triples = ((answer.piece, _judged(answer, o), answer.pooling) for answer in measured)
    # A group of buffers is only checked where one of them is.
    checked = {_key(answer.piece, o.by) for answer in measured if not answer.piece.is_weight}
    pooling = [statistic for statistic in statistics if statistic.pools]
    for group in grouped(triples, o.by):
        is_checked_only = tuple(group.keys.values()) in checked
        values = pooled(group, (NONFINITE,) if is_checked_only else pooling, spread)
        findings = {}
        if _judges(o):
            findings = gravest(group.values)
        yield row_of({**source, **findings, **values})
    if not o.panels:
        return
    for answer in measured:
        if answer.piece.is_weight:
            # One panel per tensor, which is chosen by the view with the row of their group.
            made = panel(answer, {**source, "tensor": answer.piece.name})
            yield replace(made, of={**source, **_keys(answer.piece, o.by)})


def _key(piece: Piece, by: str) -> tuple[object, ...]:
    return tuple(_keys(piece, by).values())


def _keys(piece: Piece, by: str) -> dict[str, object]:
    return {**of_group(piece, by), "kind": piece.place.kind}


def _masks_left_out(masks: Sequence[str]) -> str:
    """The masks without a row."""
    return f"{_many(len(masks), 'mask')} of zeros and -Inf left out: {listed(masks, NAMED, FEW)}"


def _total(severities: Sequence[object]) -> str:
    """The numbers of tensors, errors and warnings."""
    tensors = _many(len(severities), "tensor")
    errors = _many(severities.count("error"), "error")
    warnings = _many(severities.count("warn"), "warning")
    return f"{tensors}: {errors}, {warnings}"


def _many(n: int, noun: str) -> str:
    if n == 1:
        return f"{n} {noun}"
    return f"{n} {noun}s"


def _left_out(piece: Piece) -> str:
    """The reason why a tensor has no statistics: buffers are only checked for NaN and Inf."""
    return "" if piece.is_weight else "buffer"


ANSWERING = Answering(
    columns,
    optional,
    rows,
    models,
    applies=lambda piece: piece.is_weight,
    refusal=unlike,
    lack=_left_out,
)
