"""The rows of `compare`: one per pair or group, after the verdict; or a list of changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...columns import Found, Message, Panel, Row
from ...engine.unit import Measurer
from ...notes import Note, notes_of, united
from ...statistics.pairs import LAW_DISTANCE
from ..analysis import Answering
from ..measuring import Answer, answers
from ..piece import Model
from ..rows import Group, of_group, of_tensor, pooled, row_of
from .change import change
from .columns import columns, optional
from .differences import differences
from .facts import Facts, facts_of
from .matching_lines import lines_match
from .opening import complete, models, one_source
from .options import CompareOptions
from .pair import Pair
from .picture import bar, group_panel, panel
from .relation import relation
from .request import COUNTED, CompareRequest
from .top import changes_of, largest
from .verdict import verdict

UNRELATED = Note(
    "unrelated", "A and B are unrelated: their difference is that of independent tensors"
)


@dataclass(frozen=True, eq=False)
class _Compared:
    """A pair with what its row and its group need, without sketches."""

    pair: Pair
    values: Mapping[str, object]
    facts: Facts
    panel: Panel | None


@dataclass(eq=False)
class _Groups:
    """Groups while pairs are added: pooled values of the pairs, counts of all statuses."""

    by: str
    groups: dict[tuple[object, ...], Group] = field(default_factory=dict)
    facts: dict[tuple[object, ...], list[Facts]] = field(default_factory=dict)

    def take(self, answer: Answer, facts: Facts) -> None:
        """Adds one pair; a piece without a partner is only counted."""
        pair = facts.pair
        keys = _keys(pair, self.by)
        key = tuple(keys.values())
        group = self.groups.setdefault(key, Group(keys))
        self.facts.setdefault(key, []).append(facts)
        if pair.is_paired:
            pooling = answer.pooling
            if not lines_match(pair, answer.sketches):
                laws = LAW_DISTANCE.needs
                pooling = {at: sketch for at, sketch in pooling.items() if at in laws}
            group.take(pair, answer.values, pooling)


def rows(models: Sequence[Model], o: CompareOptions, measure: Measurer) -> Iterator[Found]:
    """The verdict, then one row per pair or group; or a list of changes."""
    (model,) = models
    request = CompareRequest(o)
    pairs = complete(model, measure)
    measured = answers(pairs, request, measure)
    compared: list[_Compared] = []
    changes: list[dict[str, Any]] = []  # of --top
    groups = _Groups(o.by)
    for answer in measured:
        pair = answer.piece
        assert isinstance(pair, Pair)
        values = {"status": request.status_of(pair, answer.sketches), **answer.values}
        facts = facts_of(pair, values, answer.sketches)
        changes.extend(changes_of(answer, o.top))
        drawn = None
        if o.panels and not o.top:
            drawn = _panel(pair, answer.sketches, o)
        compared.append(_Compared(pair, values, facts, drawn))
        if o.by != "tensor":
            groups.take(answer, facts)
    facts_of_all = [c.facts for c in compared]
    sentences = verdict(facts_of_all, request.has_change)
    yield from (Message(text, key="verdict") for text in sentences)
    if one_source(model):
        yield Message("A and B are one source: every tensor is compared with itself")
    yield from (Message(text, key="differences") for text in differences(model))
    if o.top:
        yield from (Row(change) for change in largest(changes, o.top))
    elif o.by == "tensor":
        yield from _tensors(compared, request)
    else:
        yield from _groups(groups, facts_of_all, request)
        yield from (c.panel for c in compared if c.panel is not None)


def _panel(pair: Pair, sketches: Mapping[Any, Any], o: CompareOptions) -> Panel:
    """The laws and the bar of a pair; only the bar where laws are those of its group."""
    if o.by == "tensor":
        return panel(pair, sketches)
    return bar(pair, sketches, _keys(pair, o.by))


def _keys(pair: Pair, by: str) -> dict[str, object]:
    """The keys of the group of a pair."""
    return of_group(pair, by) | {"kind": pair.place.kind}


def _tensors(compared: Sequence[_Compared], request: CompareRequest) -> Iterator[Row | Panel]:
    """One row per pair, with the kind of change of its role."""
    facts = [c.facts for c in compared]
    found = relation(facts)
    name = found.name if found else None
    by_role: dict[str, list[Facts]] = {}
    for f in facts:
        by_role.setdefault(f.pair.place.role, []).append(f)
    changes = {}
    if request.has_change:
        changes = {role: change(of_role, name) for role, of_role in by_role.items()}
    for c in compared:
        kind = changes.get(c.pair.place.role)
        own = {"relation": name, "change": kind.name if kind else None}
        values = _with_relation(c.values, name)
        yield row_of({**_identity(c.pair), **values, **own}, _failed(c))
        if c.panel is not None:
            yield c.panel


def _with_relation(values: Mapping[str, object], relation: str | None) -> Mapping[str, object]:
    """The values; differences of unrelated checkpoints with a note."""
    if relation != "unrelated" or values.get("relative") is None:
        return values
    return {**values, "notes": united(notes_of(values), UNRELATED)}


def _identity(pair: Pair) -> dict[str, object]:
    """The identity of a piece, with names, shapes and types of both sides."""
    identity = of_tensor(pair)
    del identity["shape"], identity["dtype"]
    for side, piece in (("a", pair.a), ("b", pair.b)):
        identity[f"shape_{side}"] = piece.shape if piece else None
        identity[f"dtype_{side}"] = piece.dtype if piece else None
    return identity | {"tensor_b": pair.other_name, "rule": pair.rule or None}


def _groups(
    groups: _Groups, facts: Sequence[Facts], request: CompareRequest
) -> Iterator[Row | Panel]:
    """Pooled values and laws of the pairs of each group, their spread, counts of each status."""
    found = relation(facts)
    name = found.name if found else None
    statistics = request.statistics
    spread = [column for statistic in statistics for column in statistic.columns]
    pooling = [statistic for statistic in statistics if statistic.pools]
    for key, group in groups.groups.items():
        members = groups.facts[key]
        counter = Counter(f.status for f in members)
        kind = change(members, name) if request.has_change else None
        own: dict[str, object] = {status: counter[status] for status in COUNTED}
        own |= {"relation": name, "change": kind.name if kind else None}
        values = _with_relation(pooled(group, pooling, spread), name)
        yield row_of({**values, **own})
        if request.options.panels:
            drawn = group_panel(group.keys, group.pooled)
            if drawn is not None:
                yield drawn


def _failed(compared: _Compared) -> tuple[str, ...]:
    """The tensor of a pair that has a status by right and none by measurement."""
    pair = compared.pair
    if not pair.is_paired or compared.values.get("status", "") is not None:
        return ()
    return (pair.name,)


def _applies(pair: Any) -> bool:
    """Whether a pair without a measurement is an error under --strict."""
    return isinstance(pair, Pair) and pair.is_paired and pair.place.kind != "buffer"


def _left_out(pair: Any) -> str:
    """The reason why nothing is compared: one side has no such tensor."""
    if isinstance(pair, Pair) and not pair.is_paired:
        return "no-partner"
    return ""


ANSWERING = Answering(columns, optional, rows, models, applies=_applies, lack=_left_out)
