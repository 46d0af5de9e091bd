"""The columns common to all analyses, and groups: identity of a tensor, keys of a group, spread.

Pooled Gaussians of different sigma have heavy tails. Therefore a pooled value is always shown with
the median, least and greatest over the tensors, and kinds are never pooled together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import isnan
from statistics import median
from typing import Any

from ..columns import INDEX, MODEL, Column, Row
from ..notes import Note, Notes, codes, notes_of, texts, united
from ..statistics.statistic import Evidence, Statistic, evaluate
from .piece import Model, Piece

SOURCE = Column("source", "str", "the MODEL as given, where there are several", MODEL, shown=True)
TENSOR = (
    Column(
        "tensor",
        "str",
        "name as stored, with [part] for a split piece and [lora] for a pair",
        shown=True,
    ),
    Column("layer", "int", "layer index; null outside the stack"),
    Column(
        "role",
        "str",
        "what the tensor does (closed list); `unknown` where no rule matches",
        shown=True,
    ),
    Column(
        "slot",
        "str",
        "distinguishes equal roles of a layer: attn, mlp, cross, 2; null where a role is unique",
    ),
    Column("part", "str", "which part of a fused tensor: q, k, v, gate, up; which expert"),
    Column("stack", "str", "tower of a model that has several"),
    Column("kind", "str", "matrix, conv, embedding, norm, bias, router or buffer"),
    Column("shape", "str", "dimensions as stored", shown=True),
    Column("dtype", "str", "element type as safetensors spells it", shown=True),
    Column("quantised", "bool", "stored as codes of a quantised layout, decoded or not"),
    Column("params", "int", "number of elements"),
)
NOTE = Column("note", "str", "why a value is missing, or what is unusual about the tensor")
CODES = Column(
    "note_codes", "str", "codes of the notes, joined by commas; null without any", machine=True
)
KIND = Column(
    "kind",
    "str",
    "matrix, conv, embedding, norm, bias or router: never pooled in one row",
    shown=True,
)
KEYS = {
    "role": (Column("role", "str", "what the tensors do", shown=True),),
    # Encoder and decoder have layers of the same index.
    "layer": (
        Column("stack", "str", "tower of a model that has several"),
        Column("layer", "int", "layer index", shown=True),
    ),
    "model": (),
    # `ls` only: statistics are not grouped by element type.
    "dtype": (Column("dtype", "str", "element type as safetensors spells it", shown=True),),
}
SIZES = (
    Column("tensors", "int", "tensors in the group", shown=True),
    Column("params", "int", "their elements", shown=True),
)
INNER = "notes of tensors"  # key in the values of a group, besides "notes"
SPREAD = {
    "_median": "median over the tensors of",
    "_min": "least over the tensors of",
    "_max": "greatest over the tensors of",
}


def of_tensor(piece: Piece) -> dict[str, object]:
    """The identity of one piece; empty text is null."""
    place = piece.place
    return {
        "tensor": piece.name,
        "layer": place.layer,
        "role": place.role,
        "slot": place.slot or None,
        "part": place.shown or None,
        "stack": place.stack or None,
        "kind": place.kind,
        "shape": piece.shape,
        "dtype": piece.dtype,
        "quantised": bool(piece.stored.coded),
        "params": piece.params,
    }


def of_group(piece: Piece, by: str) -> dict[str, object]:
    """The keys of the group that a piece belongs to."""
    identity = of_tensor(piece)
    return {column.name: identity[column.name] for column in KEYS[by]}


def row_of(values: Mapping[str, object], unmeasured: tuple[str, ...] = ()) -> Row:
    """The finished row of an analysis: its `notes` become the columns NOTE and CODES, and records.

    CODES includes those of the tensors of a group, of which NOTE quotes one: gates test codes.
    """
    notes = notes_of(values)
    inner = values.get(INNER, ())
    assert isinstance(inner, tuple)
    cells = dict(values)
    cells.pop("notes", None)
    cells.pop(INNER, None)
    cells[NOTE.name] = texts(notes)
    cells[CODES.name] = codes((*notes, *inner))
    return Row(cells, unmeasured, notes)


def sourced(several: bool, model: Model) -> dict[str, object]:
    """The value of the column `source` where several models were named, also if one opened."""
    if several:
        return {"source": model.source}
    return {}


@dataclass
class Group:
    """A group while tensors are added: keys, values, and sums of sketches without positions."""

    keys: dict[str, object]
    params: int = 0
    values: list[Mapping[str, object]] = field(default_factory=list)
    pooled: dict[Any, Any] = field(default_factory=dict)
    notes: dict[str, Notes] = field(default_factory=dict)  # by tensor
    nulls: dict[str, int] = field(default_factory=dict)  # number of null values, by tensor

    def take(self, piece: Piece, values: Mapping[str, object], sketches: Mapping[Any, Any]) -> None:
        """Adds one tensor."""
        self.params += piece.params
        self.values.append(values)
        notes = notes_of(values)
        if notes:
            self.notes[piece.name] = notes
            self.nulls[piece.name] = sum(value is None for value in values.values())
        # Positions are of one tensor: they are dropped before sketches are added.
        for measure, sketch in sketches.items():
            free = sketch.forget()
            if free is None:
                continue  # only positions: nothing to pool
            if measure in self.pooled:
                free = self.pooled[measure] + free
            self.pooled[measure] = free

    @property
    def noted(self) -> Note | None:
        """The number of tensors with notes, and the rarest of these notes.

        A note that every tensor has would hide what one tensor has. Notes that differ only in
        numbers count as equal. Of equally rare notes, that of the tensor with most nulls is quoted.
        """
        if not self.notes:
            return None
        named = [(name, note) for name, notes in self.notes.items() for note in notes]
        frequency = Counter(note.alike for _, note in named)

        def rank(entry: tuple[str, Note]) -> tuple[int, int]:
            name, note = entry
            return frequency[note.alike], -self.nulls[name]

        name, rarest = min(named, key=rank)
        return Note.of(
            "group",
            "{noted} of {seen} tensors noted: {name}: {rarest}",
            name,
            noted=len(self.notes),
            seen=len(self.values),
            name=name,
            rarest=rarest.text,
        )


def keys_of(by: str) -> tuple[Column, ...]:
    """The columns that identify a group: keys, kind and sizes."""
    return (*KEYS[by], KIND, *SIZES)


def source_columns(several: bool) -> tuple[Column, ...]:
    """The column `source` where there are several models."""
    return (SOURCE,) if several else ()


def of_tensors(
    columns: Iterable[Column], several: bool, beside: Sequence[str] = ()
) -> tuple[Column, ...]:
    """The columns of a table of tensors.

    Of the identity a terminal shows the name, and the columns named in `beside`.
    """
    shown = ("tensor", *beside)
    identity = tuple(column.shown_if(column.name in shown) for column in TENSOR)
    return (*source_columns(several), *identity, *columns, NOTE, CODES)


def of_groups(columns: Iterable[Column], several: bool, by: str) -> tuple[Column, ...]:
    """The columns of a table of groups; a terminal does not show the number of elements."""
    keys = tuple(
        column.shown_if(column.shown and column.name != "params") for column in keys_of(by)
    )
    return (*source_columns(several), *keys, *columns, NOTE, CODES)


def with_spread(statistics: Sequence[Statistic]) -> tuple[Column, ...]:
    """The columns of statistics that pool, and the spread over the tensors of all numbers."""
    columns: list[Column] = []
    for statistic in statistics:
        for column in statistic.columns:
            if statistic.pools:
                columns.append(column)
            columns.extend(_spread_columns(column, statistic.pools))
    return tuple(columns)


@cache  # every call of a command makes the same hundreds
def _spread_columns(column: Column, pooled: bool) -> tuple[Column, ...]:
    """Median, least and greatest of one column.

    A terminal shows the median in place of a value that is not pooled, and next to pooled beta.
    """
    if not _is_spread(column):
        return ()
    instead = column.shown and not pooled
    columns = []
    for suffix, meaning in SPREAD.items():
        shown = suffix == "_median" and (instead or column.name == "beta")
        columns.append(replace(column.suffixed(suffix, meaning), shown=shown))
    return tuple(columns)


def _is_spread(column: Column) -> bool:
    """Whether its median has a meaning: not that of the index of a row, or of a standard error."""
    if column.on_request:
        return False
    return column.dtype in ("int", "float") and column.unit != INDEX


def grouped(
    answers: Iterable[tuple[Piece, Mapping[str, object], Mapping[Any, Any]]], by: str
) -> tuple[Group, ...]:
    """Groups in the order of their first tensors."""
    groups: dict[tuple[object, ...], Group] = {}
    for piece, values, sketches in answers:
        keys = of_group(piece, by) | {"kind": piece.place.kind}
        group = groups.setdefault(tuple(keys.values()), Group(keys))
        group.take(piece, values, sketches)
    return tuple(groups.values())


def spread(group: Group, statistics: Sequence[Column]) -> Iterator[tuple[str, object]]:
    """<name>_median, _min, _max over the tensors that have the value."""
    for column in statistics:
        if not _is_spread(column):
            continue
        numbers = _numbers(group, column.name)
        middle = float(median(numbers)) if numbers else None
        yield f"{column.name}_median", middle
        yield f"{column.name}_min", min(numbers, default=None)
        yield f"{column.name}_max", max(numbers, default=None)


def _numbers(group: Group, name: str) -> list[int | float]:
    """The values of one column that are numbers, without nulls and NaN."""
    values = [row.get(name) for row in group.values]
    numbers = [value for value in values if isinstance(value, int | float)]
    return [number for number in numbers if not isnan(number)]


def pooled(
    group: Group, statistics: Sequence[Statistic], columns: Sequence[Column]
) -> dict[str, object]:
    """The row of a group: keys, sizes, spread of `columns`, pooled statistics, notes."""
    evidence = Evidence(group.pooled, None, kind=str(group.keys["kind"]))
    values = evaluate(statistics, evidence)
    return {
        **group.keys,
        "tensors": len(group.values),
        "params": group.params,
        **dict(spread(group, columns)),
        **values,
        "notes": united(notes_of(values), group.noted),
        INNER: tuple(note for notes in group.notes.values() for note in notes),
    }
