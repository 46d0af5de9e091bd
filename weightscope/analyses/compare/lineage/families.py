"""Families: the matrices of A and of B that do the same in all layers, by shape.

A rule holds between one shape of A and one of B, and its samples are the same rows and columns of
all layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ....checkpoints import Entry
from ....geometry import Shape
from ...piece import Piece
from ..pair import Pair
from .keys import Key, key_of_a, key_of_b

MOST = 16  # pairs of shapes under a key
Shapes = tuple[Shape, Shape]


@dataclass(frozen=True, eq=False)
class Family:
    """The matrices of one shape of A and one shape of B."""

    key: Key
    shapes: Shapes
    a: Sequence[Piece]
    b: Sequence[Piece]


@dataclass(eq=False)
class _Members:
    """All matrices under one key, by shape, and pairs of shapes that pairs by name have."""

    a: dict[Shape, list[Piece]] = field(default_factory=dict)
    b: dict[Shape, list[Piece]] = field(default_factory=dict)
    paired: dict[Shapes, None] = field(default_factory=dict)
    alone: dict[Shape, None] = field(default_factory=dict)  # of B's matrices without a partner


def families(pairs: Iterable[Pair], stacks: Mapping[str, str]) -> list[Family]:
    """One for each pair of shapes under a key."""
    by_key: dict[Key, _Members] = {}
    for pair in pairs:
        _add(by_key, pair, stacks)
    found = []
    for key, members in by_key.items():
        for shapes in _shapes(members)[:MOST]:
            of_a, of_b = shapes
            found.append(Family(key, shapes, members.a[of_a], members.b[of_b]))
    return found


def entry_of(piece: Piece) -> Entry:
    """The entry of a piece that has one."""
    assert piece.entry is not None
    return piece.entry


def shape_of(piece: Piece) -> Shape:
    """Rows and columns of a matrix."""
    return entry_of(piece).shape


def _add(by_key: dict[Key, _Members], pair: Pair, stacks: Mapping[str, str]) -> None:
    """Adds the matrices of a pair under A's key, of a piece without a partner under its own."""
    if pair.place.kind == "buffer":
        return
    if pair.a is not None:
        key = key_of_a(pair.a)
    else:
        assert pair.b is not None
        key = key_of_b(pair.b, stacks)
    members = by_key.setdefault(key, _Members())
    has_a = pair.a is not None and pair.a.is_matrix
    has_b = pair.b is not None and pair.b.is_matrix
    if pair.a is not None and has_a:
        members.a.setdefault(shape_of(pair.a), []).append(pair.a)
    if pair.b is not None and has_b:
        members.b.setdefault(shape_of(pair.b), []).append(pair.b)
        if pair.a is not None and has_a:
            members.paired[shape_of(pair.a), shape_of(pair.b)] = None
        else:
            members.alone[shape_of(pair.b)] = None


def _shapes(members: _Members) -> list[Shapes]:
    """Pairs of shapes: those of pairs by name, then those of matrices of B without a partner."""
    found = dict(members.paired)
    for shape_b in members.alone:
        for shape_a in members.a:
            found[shape_a, shape_b] = None
    return list(found)
