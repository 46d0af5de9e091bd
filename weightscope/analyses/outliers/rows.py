"""The rows of `outliers`: one a tensor or a group with its findings, or a list of the furthest weights or rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...checkpoints import open_checkpoint
from ...columns import Found, Message, Panel, Row
from ...engine.unit import Measurer
from ...notes import COLUMNS, notes_of, united
from ...sketches import Count
from .. import pieces
from ..analysis import Answering
from ..gathering import Setting, gathered
from ..measuring import Answer, answers
from ..piece import Model
from ..rows import grouped, of_group, of_tensor, pooled, row_of, sourced
from .base import changes, uncompared
from .buffers import NONFINITE, is_buffer, is_checked, is_sound
from .columns import JUDGED, columns, optional
from .extremes import top_rows, top_weights
from .findings import gravest, judged
from .lines import marked
from .options import OutliersOptions
from .picture import panel
from .request import OutliersRequest
from .twins import TWIN, twin

OF_TWINS = frozenset({"nan", "dead_rows"})  # of the readings that look at what twins are told by


def models(sources: Sequence[Any], o: OutliersOptions, setting: Setting) -> tuple[Model, ...]:
    """The sources, each with the base beside it."""
    found = gathered(pieces.everything, sources, o, setting)
    if o.base is None:
        return found
    base = pieces.everything(open_checkpoint(o.base, setting.opening), setting.reading)
    return tuple(replace(model, base=base) for model in found)


def rows(models: Sequence[Model], o: OutliersOptions, measure: Measurer) -> Iterator[Found]:
    """One row a tensor or a group with its findings; or the list of extremes that was asked for."""
    yield from [Message(text) for model in models for text in _remarks(model) if text]
    total: list[Mapping[str, object]] = []
    for model in models:
        own, found = sourced(models, model), _answers(model, o, measure)
        if o.top:
            yield from (Row({**own, **values}) for values in top_weights(found, o.top))
        elif o.top_rows:
            yield from (Row({**own, **values}) for values in top_rows(found, o.top_rows))
        elif o.by != "tensor":
            yield from _groups(list(found), o, own)
        else:
            for answer in found:
                values = _judged(answer, o)
                total.append(values)
                yield row_of({**own, **of_tensor(answer.piece), **values})
                if o.panels and not is_buffer(answer.piece):
                    yield panel(answer, {**own, "tensor": answer.piece.name})
    if o.by == "tensor" and not o.lists and _needed(o) is None:
        yield Message(_total(total), after=True)


def _remarks(model: Model) -> tuple[str, str]:
    """Which matrices could not be compared with the base, and that there were only buffers to check."""
    return uncompared(model) if model.base else "", _only_buffers(model)


def _only_buffers(model: Model) -> str:
    """What was done where no row may come of it."""
    if not all(is_buffer(piece) for piece in model.pieces) or not model.pieces:
        return ""
    checked = sum(is_checked(piece) for piece in model.pieces)
    return f"no weight among {_many(len(model.pieces), 'tensor')}; {_many(checked, 'buffer')} checked for NaN and Inf"


def _answers(model: Model, o: OutliersOptions, measure: Measurer) -> Iterator[Answer]:
    """Every weight with its values and sketches, in order, twins named; of buffers those that are broken."""
    base = model.base.by_name if model.base else {}
    weights = [piece for piece in model.pieces if not is_buffer(piece)]
    alone = sum(piece.entry is not None for piece in weights) == 1
    request = OutliersRequest(o, _needed(o), base, alone)
    seen: dict[object, str] = {}
    asked = [piece for piece in model.pieces if not is_buffer(piece) or request.units(piece)]
    for answer in answers(asked, request, measure):
        piece, sketches = answer.piece, answer.sketches
        if is_buffer(piece):
            counts = sketches.get(Count())
            if counts is None or not is_sound(
                piece, counts
            ):  # what does not fit the memory has a note
                yield answer
        elif piece.entry is None:
            yield answer
        else:
            since = changes(piece, base, sketches) if model.base else {}
            notes = united(notes_of(answer.values), notes_of(since))
            own = {TWIN.name: twin(piece, sketches, seen), **since, "notes": notes}
            yield replace(answer, values={**answer.values, **own})


def _needed(o: OutliersOptions) -> frozenset[str] | None:
    """A judgement looks at everything, and notes tell of it; without one what is asked for, and what shows a twin."""
    if o.wanted is None or o.wanted & {*(c.name for c in JUDGED), *COLUMNS}:
        return None
    return o.wanted | (OF_TWINS if TWIN.name in o.wanted else frozenset())


def _judged(answer: Answer, o: OutliersOptions) -> dict[str, object]:
    """With findings, where everything was looked at."""
    if _needed(o) is not None:
        return dict(answer.values)
    return {
        **answer.values,
        **judged(answer.values, answer.piece, frozenset(o.ignore), marked(answer.sketches)),
    }


def _groups(
    found: Sequence[Answer], o: OutliersOptions, own: Mapping[str, object]
) -> Iterator[Row | Panel]:
    """Pooled counts and energies beside their spread, and the gravest finding of a tensor; pictures of the tensors."""
    asked = OutliersRequest(o, _needed(o)).statistics
    triples = ((a.piece, _judged(a, o), a.pooling) for a in found)
    for group in grouped(triples, o.by):
        pooling = (NONFINITE,) if group.keys["kind"] == "buffer" else [s for s in asked if s.pools]
        values = pooled(group, pooling, [c for s in asked for c in s.columns])
        worst = gravest(group.values) if _needed(o) is None else {}
        yield row_of({**own, **worst, **values})
    drawn = [answer for answer in found if not is_buffer(answer.piece)] if o.panels else []
    for answer in drawn:
        keys = {**own, **of_group(answer.piece, o.by), "kind": answer.piece.place.kind}
        yield replace(panel(answer, {**own, "tensor": answer.piece.name}), of=keys)


def _total(seen: Sequence[Mapping[str, object]]) -> str:
    """How many tensors, how many errors and warnings."""
    errors, warnings = (sum(values["severity"] == s for values in seen) for s in ("error", "warn"))
    return f"{_many(len(seen), 'tensor')}: {_many(errors, 'error')}, {_many(warnings, 'warning')}"


def _many(n: int, what: str) -> str:
    return f"{n} {what}" + "s" * (n != 1)


ANSWERING = Answering(columns, optional, rows, models, applies=lambda piece: not is_buffer(piece))
