"""How the rows of every analysis begin, and how they are grouped: identity of a tensor, keys of a group, spread.

Pooling exact Gaussians of different sigma fakes heavy tails, so a pooled value never stands alone, but beside the
median, least and greatest of the tensors; kinds never mix.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from ..columns import INDEX, Column, Row
from ..notes import Note, Notes, codes, notes_of, texts, united
from ..statistics.statistic import Evidence, Statistic, evaluate
from .piece import Model, Piece

SOURCE = Column("source", "str", "which MODEL, as given; where there are several", shown=True)
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
        "tells equal roles of a layer apart: attn, mlp, cross, 2; null where nothing has to",
    ),
    Column("part", "str", "which part of a fused tensor: q, k, v, gate, up; which expert"),
    Column("stack", "str", "tower of a model that has several"),
    Column("kind", "str", "matrix, conv, embedding, norm, bias, router or buffer"),
    Column("shape", "str", "dimensions as stored", shown=True),
    Column("dtype", "str", "element type as safetensors spells it", shown=True),
    Column("quantised", "bool", "stored as codes of a quantised layout, decoded or not"),
    Column("params", "int", "number of elements"),
)
NOTE = Column("note", "str", "why a value is missing, or what is odd about the tensor")
CODES = Column(
    "note_codes", "str", "codes of the notes, joined by commas; null without any", machine=True
)
KIND = Column(
    "kind",
    "str",
    "matrix, conv, embedding, norm, bias or router: never mixed in one row",
    shown=True,
)
KEYS = {
    "role": (Column("role", "str", "what the tensors do", shown=True),),
    "layer": (
        Column("stack", "str", "tower of a model that has several"),
        Column("layer", "int", "layer index", shown=True),
    ),
    "model": (),
    "dtype": (Column("dtype", "str", "element type as safetensors spells it", shown=True),),
}
SIZES = (
    Column("tensors", "int", "tensors in the group", shown=True),
    Column("params", "int", "their elements", shown=True),
)
INNER = "notes of tensors"  # of a group, beside its own notes while its row is made
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
    return {c.name: of_tensor(piece)[c.name] for c in KEYS[by]}


def row_of(values: Mapping[str, object], unmeasured: tuple[str, ...] = ()) -> Row:
    """A row as it leaves an analysis: its `notes` as the columns NOTE and CODES, and as records beside the values.

    CODES also has those of the tensors of a group, of which NOTE quotes one: gates look at codes.
    """
    notes, inner = notes_of(values), values.get(INNER, ())
    own = {name: value for name, value in values.items() if name not in ("notes", INNER)}
    assert isinstance(inner, tuple)
    return Row(
        {**own, NOTE.name: texts(notes), CODES.name: codes((*notes, *inner))}, unmeasured, notes
    )


def sourced(models: Sequence[Model], model: Model) -> dict[str, object]:
    """The column `source` where there are several models."""
    return {"source": model.source} if len(models) > 1 else {}


@dataclass
class Group:
    """What has come in so far: keys, the tensors' values, and their sketches added up without positions."""

    keys: dict[str, object]
    params: int = 0
    values: list[Mapping[str, object]] = field(default_factory=list)
    pooled: dict[Any, Any] = field(default_factory=dict)
    notes: dict[str, Notes] = field(default_factory=dict)  # by tensor
    lacking: dict[str, int] = field(default_factory=dict)  # values that each has not

    def take(self, piece: Piece, values: Mapping[str, object], sketches: Mapping[Any, Any]) -> None:
        """One tensor more."""
        self.params += piece.params
        self.values.append(values)
        notes = notes_of(values)
        if notes:
            self.notes[piece.name] = notes
            self.lacking[piece.name] = sum(value is None for value in values.values())
        for measure, sketch in sketches.items():
            free = sketch.forget()
            if free is not None:
                self.pooled[measure] = (
                    self.pooled[measure] + free if measure in self.pooled else free
                )

    @property
    def noted(self) -> Note | None:
        """How many tensors have notes, and the first of the rarest: what every tensor has hides what one has.

        Notes that differ in their numbers alone are one; of equally rare ones the tensor tells that lacks the most.
        """
        if not self.notes:
            return None
        every = [(name, note) for name, notes in self.notes.items() for note in notes]
        many = Counter(note.alike for _, note in every)
        name, rarest = min(every, key=lambda x: (many[x[1].alike], -self.lacking[x[0]]))
        template = "{noted} of {seen} tensors noted: {name}: {rarest}"
        noted, seen = len(self.notes), len(self.values)
        return Note.of(
            "group", template, name, noted=noted, seen=seen, name=name, rarest=rarest.text
        )


def keys_of(by: str) -> tuple[Column, ...]:
    """What a group is known by: keys, kind and sizes."""
    return (*KEYS[by], KIND, *SIZES)


def of_tensors(
    own: Iterable[Column], several: bool, beside: Sequence[str] = ()
) -> tuple[Column, ...]:
    """The columns of a table of tensors; a terminal shows of the identity the name, and what is named `beside` it."""
    source = (SOURCE,) if several else ()
    named = tuple(replace(c, shown=c.name == "tensor" or c.name in beside) for c in TENSOR)
    return (*source, *named, *own, NOTE, CODES)


def of_groups(own: Iterable[Column], several: bool, by: str) -> tuple[Column, ...]:
    """The columns of a table of groups; a terminal does not show how many elements they have."""
    source = (SOURCE,) if several else ()
    keys = tuple(replace(c, shown=c.shown and c.name != "params") for c in keys_of(by))
    return (*source, *keys, *own, NOTE, CODES)


def with_spread(statistics: Sequence[Statistic]) -> tuple[Column, ...]:
    """Every statistic pooled, where its records merge, and for numbers the spread over the tensors."""
    return tuple(
        x
        for s in statistics
        for c in s.columns
        for x in (*((c,) if s.pools else ()), *_around(c, s.pools))
    )


def _around(column: Column, pooled: bool) -> Iterator[Column]:
    """Spread of one column; a terminal shows the median beside pooled beta, and in place of what is not pooled."""
    for suffix, meaning in SPREAD.items() if _spreads(column) else ():
        shown = suffix == "_median" and (column.name == "beta" or (column.shown and not pooled))
        yield replace(column.suffixed(suffix, meaning), shown=shown)


def _spreads(column: Column) -> bool:
    """Whether it is a number; which line of a matrix it is has no median."""
    return column.dtype in ("int", "float") and column.unit != INDEX


def grouped(
    answers: Iterable[tuple[Piece, Mapping[str, object], Mapping[Any, Any]]], by: str
) -> tuple[Group, ...]:
    """Groups in the order in which their first tensor came."""
    groups: dict[tuple[object, ...], Group] = {}
    for piece, values, sketches in answers:
        keys = of_group(piece, by) | {"kind": piece.place.kind}
        group = groups.setdefault(tuple(keys.values()), Group(keys))
        group.take(piece, values, sketches)
    return tuple(groups.values())


def spread(group: Group, statistics: Sequence[Column]) -> Iterator[tuple[str, object]]:
    """<name>_median, _min, _max over the tensors that have the value."""
    for column in statistics:
        if not _spreads(column):
            continue
        seen = [
            v
            for row in group.values
            if isinstance(v := row.get(column.name), int | float) and v == v
        ]
        around = (float(median(seen)), min(seen), max(seen)) if seen else (None,) * 3
        yield from zip((column.name + suffix for suffix in SPREAD), around, strict=True)


def pooled(
    group: Group, statistics: Sequence[Statistic], columns: Sequence[Column]
) -> dict[str, object]:
    """The row of a group: keys and sizes, the spread of columns over its tensors, statistics of what pools, notes."""
    values = evaluate(statistics, Evidence(group.pooled, None, kind=str(group.keys["kind"])))
    return {
        **group.keys,
        "tensors": len(group.values),
        "params": group.params,
        **dict(spread(group, columns)),
        **values,
        "notes": united(notes_of(values), group.noted),
        INNER: tuple(note for notes in group.notes.values() for note in notes),
    }
