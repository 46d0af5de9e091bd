"""outliers: what stands out? Extreme, dead, duplicate, untrained and non-finite weights, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ...columns import Block, Column, Panel, Row
from ...engine.unit import Measurer
from ...statistics.readings import CROWDING, EXTREMES, MARKED_LINES, UNTRAINED, quantisation
from ...statistics.statistic import Evidence, Statistic, chosen, evaluate
from .. import pieces
from ..analysis import Analysis, Answer, Model
from ..groups import grouped, keys_of, spread, with_spread
from ..identity import NOTE, SOURCE, TENSOR, of_group, of_tensor, sourced
from ..notes import joined
from .answers import AGAINST, TWIN, answers, uncompared
from .buffers import NONFINITE, is_buffer, is_checked
from .extremes import ROWS, WEIGHTS, top_rows, top_weights
from .findings import FOUND, GRAVITY, SEVERITY, gravest, judged
from .lines import marked
from .options import OutliersOptions
from .picture import panel

JUDGED = (SEVERITY, FOUND, GRAVITY)
OF_TWINS = frozenset({"nan", "dead_rows"})      # of the readings that look at what twins are told by


def statistics(o: OutliersOptions) -> tuple[Statistic, ...]:
    """In the order of their columns."""
    return (EXTREMES, MARKED_LINES, UNTRAINED, CROWDING) + ((quantisation(o.schemes),) if o.schemes else ())


def columns(o: OutliersOptions) -> tuple[Column, ...]:
    """Findings first, then what they rest on."""
    source = (SOURCE,) if o.several else ()
    if o.top or o.top_rows:
        return (*source, TENSOR[0], *(WEIGHTS if o.top else ROWS))
    against = AGAINST if o.base else ()
    if o.by != "tensor":
        keys = tuple(replace(c, shown=c.shown and c.name != "params") for c in keys_of(o.by))
        return (*source, *keys, *JUDGED, *_shown(with_spread(statistics(o))), NOTE)
    named = tuple(replace(c, shown=c.name == "tensor") for c in TENSOR)
    own = _shown((*(c for s in statistics(o) for c in s.columns), TWIN, *against))
    return (*source, *named, *JUDGED, *own, NOTE)


def _shown(columns: Sequence[Column]) -> tuple[Column, ...]:
    """On a terminal what an option brought stands in place of the usual readings, for which no room would be left."""
    brought = any(c.option for c in columns)
    return tuple(replace(c, shown=c.shown and (bool(c.option) or not brought)) for c in columns)


def optional(o: OutliersOptions) -> Mapping[str, str]:
    """Columns that another option would bring."""
    single = "a run without --top and --top-rows" if o.top or o.top_rows else "--by tensor"
    full = OutliersOptions(quant=("all",), base="base")
    of_groups = (*keys_of("role"), *keys_of("layer"), *with_spread(statistics(full)))
    return (
        {c.name: "--by role" if o.by == "tensor" else c.option or single for c in of_groups}
        | {c.name: c.option or single for c in columns(full)}
        | {c.name: "--top" for c in WEIGHTS}
        | {c.name: "--top-rows" for c in ROWS if c.name == "rms"}
        | {"source": "several MODELs"}
    )


def rows(models: Sequence[Model], o: OutliersOptions, measure: Measurer) -> Iterator[Row | Panel | Block]:
    """One row a tensor or a group with its findings; or the list of extremes that was asked for."""
    asked = () if o.top or o.top_rows else chosen(statistics(o), _needed(o))
    notes(models, o)                            # refuses a base of another model
    for model in models:
        own, found = sourced(models, model), answers(model, o, asked, measure)
        if o.top:
            yield from (Row({**own, **values}) for values in top_weights(found, o.top))
        elif o.top_rows:
            yield from (Row({**own, **values}) for values in top_rows(found, o.top_rows))
        elif o.by != "tensor":
            yield from _groups(list(found), asked, o, own)
        else:
            for answer in found:
                yield Row({**own, **of_tensor(answer.piece), **_judged(answer, o)})
                if o.panels and not is_buffer(answer.piece):
                    yield panel(answer, {**own, "tensor": answer.piece.name})


def notes(models: Sequence[Model], o: OutliersOptions) -> tuple[str, ...]:
    """Which matrices could not be compared with the base, and that there were only buffers to check."""
    lone = (uncompared(model) for model in models) if o.base else ()
    return tuple(filter(None, (*lone, *(_only_buffers(model) for model in models))))


def _only_buffers(model: Model) -> str:
    """What was done where no row may come of it."""
    if not all(is_buffer(piece) for piece in model.pieces) or not model.pieces:
        return ""
    checked = sum(is_checked(piece) for piece in model.pieces)
    return f"no weight among {_many(len(model.pieces), 'tensor')}; {_many(checked, 'buffer')} checked for NaN and Inf"


def _needed(o: OutliersOptions) -> frozenset[str] | None:
    """A judgement looks at everything, and notes tell of it; without one what is asked for, and what shows a twin."""
    if o.wanted is None or o.wanted & {c.name for c in (*JUDGED, NOTE)}:
        return None
    return o.wanted | (OF_TWINS if TWIN.name in o.wanted else frozenset())


def _judged(answer: Answer, o: OutliersOptions) -> dict[str, object]:
    """With findings, where everything was looked at."""
    if _needed(o) is not None:
        return dict(answer.values)
    return {**answer.values, **judged(answer.values, answer.piece, frozenset(o.ignore), marked(answer.sketches))}


def _groups(
    found: Sequence[Answer], asked: Sequence[Statistic], o: OutliersOptions, own: Mapping[str, object]
) -> Iterator[Row | Panel]:
    """Pooled counts and energies beside their spread, and the gravest finding of a tensor; pictures of the tensors."""
    triples = ((a.piece, _judged(a, o), a.pooling) for a in found)
    for group in grouped(triples, o.by):
        kind = str(group.keys["kind"])
        pooling = (NONFINITE,) if kind == "buffer" else [s for s in asked if s.pools]
        values = evaluate(pooling, Evidence(group.pooled, None, kind=kind))
        around = dict(spread(group, [c for s in asked for c in s.columns]))
        sizes = {"tensors": len(group.values), "params": group.params}
        note = joined(values["note"], group.noted)
        worst = gravest(group.values) if _needed(o) is None else {}
        yield Row({**own, **group.keys, **sizes, **worst, **around, **values, "note": note})
    drawn = [answer for answer in found if not is_buffer(answer.piece)] if o.panels else []
    for answer in drawn:
        keys = {**own, **of_group(answer.piece, o.by), "kind": answer.piece.place.kind}
        yield replace(panel(answer, {**own, "tensor": answer.piece.name}), of=keys)


def closing(seen: Sequence[Row]) -> str:
    """The one-line total: how many tensors, how many errors and warnings; none of groups and lists."""
    if not all({"tensor", "severity"} <= row.values.keys() for row in seen):
        return ""
    errors, warnings = (sum(row.values["severity"] == s for row in seen) for s in ("error", "warn"))
    return f"{_many(len(seen), 'tensor')}: {_many(errors, 'error')}, {_many(warnings, 'warning')}"


def _many(n: int, what: str) -> str:
    return f"{n} {what}" + "s" * (n != 1)


OUTLIERS = Analysis(
    "outliers",
    OutliersOptions,
    columns,
    optional,
    rows,
    pieces.everything,
    draws=True,
    applies=lambda piece: not is_buffer(piece),
    closing=closing,
    notes=notes,
)
