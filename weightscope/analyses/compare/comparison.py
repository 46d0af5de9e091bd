"""One comparison: the pairs of A and B while they are measured, then a row per pair or group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field, replace
from functools import cached_property
from typing import Any

from ...columns import Panel
from ...notes import Note, notes_of, united
from ...statistics.pairs import LAW_DISTANCE
from ..measuring import Answer
from ..rows import Group, of_group, of_tensor, pooled
from .change import change
from .facts import Facts, facts_of
from .lineage.rotations import ROTATED
from .matching_lines import lines_match
from .pair import Pair, joined_rules
from .picture import bar, group_panel, panel
from .relation import Relation, relation
from .request import COUNTED, CompareRequest

UNRELATED = Note(
    "unrelated", "A and B are unrelated: their difference is that of independent tensors"
)


@dataclass(frozen=True, eq=False)
class Finished:
    """A row before its notes become columns: its values, what was not measured, its picture.

    `key` is its pair, or the keys of its group.
    """

    key: Any
    values: Mapping[str, object]
    unmeasured: tuple[str, ...] = ()
    panel: Panel | None = None


@dataclass(frozen=True, eq=False)
class _Compared:
    """A pair with what its row and its group need, without sketches."""

    pair: Pair
    values: Mapping[str, object]
    facts: Facts
    panel: Panel | None


Key = tuple[object, ...]  # of a group


@dataclass(eq=False)
class _Groups:
    """Groups while pairs are added: pooled values of the pairs, counts of all statuses.

    A group is `finished` with its last pair: then its sketches are gone.
    """

    request: CompareRequest
    draws: bool
    left: Counter[Key]  # pairs that are to come
    groups: dict[Key, Group] = field(default_factory=dict)
    facts: dict[Key, list[Facts]] = field(default_factory=dict)
    finished: dict[Key, tuple[Mapping[str, object], Panel | None]] = field(default_factory=dict)

    def take(self, answer: Answer, facts: Facts) -> None:
        """Adds one pair; a piece without a partner is only counted."""
        pair = facts.pair
        keys = keys_of_pair(pair, self.request.options.by)
        key = tuple(keys.values())
        group = self.groups.setdefault(key, Group(keys))
        self.facts.setdefault(key, []).append(facts)
        if pair.is_paired:
            pooling = answer.pooling
            if not lines_match(pair, answer.sketches):
                laws = LAW_DISTANCE.needs
                pooling = {at: sketch for at, sketch in pooling.items() if at in laws}
            group.take(pair, answer.values, pooling)
        self.left[key] -= 1
        if not self.left[key]:
            self.finished[key] = self._finished(self.groups.pop(key))

    def _finished(self, group: Group) -> tuple[Mapping[str, object], Panel | None]:
        """Pooled values and laws of a group, and the spread over its pairs."""
        statistics = self.request.statistics
        spread = [column for statistic in statistics for column in statistic.columns]
        pooling = [statistic for statistic in statistics if statistic.pools]
        drawn = group_panel(group.keys, group.pooled) if self.draws else None
        return pooled(group, pooling, spread), drawn


@dataclass(eq=False)
class Comparison:
    """Facts and values of `pairs` of two checkpoints, added one by one.

    `draws` is whether each pair gets a picture.
    """

    request: CompareRequest
    pairs: InitVar[Iterable[Pair]]
    draws: bool = False
    compared: list[_Compared] = field(default_factory=list)
    groups: _Groups = field(init=False)

    def __post_init__(self, pairs: Iterable[Pair]) -> None:
        left: Counter[Key] = Counter()
        if self.by != "tensor":
            left.update(tuple(keys_of_pair(pair, self.by).values()) for pair in pairs)
        self.groups = _Groups(self.request, self.draws, left)

    @property
    def by(self) -> str:
        """What a row is about."""
        return self.request.options.by

    def take(self, answer: Answer) -> None:
        """Adds one measured pair."""
        pair = answer.piece
        assert isinstance(pair, Pair)
        status = self.request.status_of(pair, answer.sketches)
        values = {"status": status, **answer.values}
        facts = facts_of(pair, values, answer.sketches)
        drawn = self._panel(pair, answer.sketches) if self.draws else None
        self.compared.append(_Compared(pair, values, facts, drawn))
        if self.by != "tensor":
            self.groups.take(answer, facts)

    def rotate(self, pairs: Collection[Pair]) -> None:
        """Marks the pairs whose B is A rotated."""
        self.compared = [_rotated(one) if one.pair in pairs else one for one in self.compared]

    @property
    def facts(self) -> list[Facts]:
        """Of all pairs."""
        return [compared.facts for compared in self.compared]

    @cached_property
    def relation(self) -> Relation | None:
        """Of the models; asked for when all pairs are there."""
        return relation(self.facts)

    def numbers(self, column: str) -> list[float]:
        """The values of a column of all pairs, without nulls."""
        values = [compared.values.get(column) for compared in self.compared]
        return [float(value) for value in values if isinstance(value, int | float)]

    def rows(self) -> Iterator[Finished]:
        """One per pair or group, in the order of the pairs."""
        if self.by == "tensor":
            return self._tensors()
        return self._of_groups()

    @property
    def _relation_name(self) -> str | None:
        return self.relation.name if self.relation else None

    def _panel(self, pair: Pair, sketches: Mapping[Any, Any]) -> Panel:
        """The laws and the bar of a pair; only the bar where laws are those of its group."""
        if self.by == "tensor":
            return panel(pair, sketches)
        return bar(pair, sketches, keys_of_pair(pair, self.by))

    def _tensors(self) -> Iterator[Finished]:
        """One row per pair, with the kind of change of its role."""
        name = self._relation_name
        by_role: dict[str, list[Facts]] = {}
        for facts in self.facts:
            by_role.setdefault(facts.pair.place.role, []).append(facts)
        changes = {}
        if self.request.has_change:
            changes = {role: change(of_role, name) for role, of_role in by_role.items()}
        for compared in self.compared:
            kind = changes.get(compared.pair.place.role)
            own = {"relation": name, "change": kind.name if kind else None}
            values = _with_relation(compared.values, name)
            values = {**_identity(compared.pair), **values, **own}
            failed = _failed(compared) if self.request.has_status else ()
            yield Finished(compared.pair, values, failed, compared.panel)

    def _of_groups(self) -> Iterator[Finished]:
        """Pooled values and laws of the pairs of each group, their spread, counts of statuses."""
        name = self._relation_name
        for key, members in self.groups.facts.items():
            values, drawn = self.groups.finished[key]
            counter = Counter(facts.status for facts in members)
            kind = change(members, name) if self.request.has_change else None
            own: dict[str, object] = {status: counter[status] for status in COUNTED}
            own |= {"relation": name, "change": kind.name if kind else None}
            values = _with_relation(values, name)
            yield Finished(key, {**values, **own}, panel=drawn)

    def bars(self) -> Sequence[Panel]:
        """The pictures of the pairs where rows are groups."""
        if self.by == "tensor":
            return ()
        return [compared.panel for compared in self.compared if compared.panel is not None]


def _rotated(one: _Compared) -> _Compared:
    """A pair with the rule `rotated`, beside that of its layers."""
    rule = joined_rules(one.facts.rule, ROTATED)
    facts = replace(one.facts, rule=rule, is_rotated=True)
    return replace(one, values={**one.values, "rule": rule}, facts=facts)


def keys_of_pair(pair: Pair, by: str) -> dict[str, object]:
    """The keys of the group of a pair."""
    return of_group(pair, by) | {"kind": pair.place.kind}


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


def _failed(compared: _Compared) -> tuple[str, ...]:
    """The tensor of a pair that has a status by right and none by measurement."""
    pair = compared.pair
    if not pair.is_paired or compared.values.get("status", "") is not None:
        return ()
    return (pair.name,)
