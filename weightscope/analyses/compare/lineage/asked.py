"""Whether a comparison searches for the rule that made B from A."""

from __future__ import annotations

from collections.abc import Sequence

from ...piece import Piece
from ..options import CompareOptions
from ..pair import Pair
from .keys import is_numbered_expert
from .stacks import stacks_of_b

Layers = set[tuple[str, int]]


def is_searched(pairs: Sequence[Pair], o: CompareOptions) -> bool:
    """With --lineage, else where matrices of layers, their layers, or kinds of layers differ."""
    if o.top:
        return False
    if o.lineage or _layers_differ(pairs) or _has_new_experts(pairs):
        return True
    return any(_is_resized(pair) for pair in pairs)


def _has_new_experts(pairs: Sequence[Pair]) -> bool:
    """Whether B has experts where A has none."""
    for pair in pairs:
        if pair.a is None and pair.b is not None and is_numbered_expert(pair.b):
            return True
    return False


def _is_resized(pair: Pair) -> bool:
    """Whether two matrices have other shapes; more rows of an embedding are an extended vocabulary.

    Also true of a pair that has been reduced to its common rows.
    """
    if pair.a is None or pair.b is None:
        return False
    if not pair.a.is_matrix or not pair.b.is_matrix:
        return False
    if pair.place.layer is not None:
        return pair.reshaped or bool(pair.rule)
    return _width(pair.a) != _width(pair.b)


def _width(piece: Piece) -> int:
    assert piece.entry is not None
    _, columns = piece.entry.shape
    return columns


def _layers_differ(pairs: Sequence[Pair]) -> bool:
    """Whether one side has matrices in layers that the other side lacks."""
    stacks = stacks_of_b(pairs)
    in_a: Layers = set()
    in_b: Layers = set()
    for pair in pairs:
        if pair.a is not None and _is_in_layer(pair.a):
            in_a.add((pair.a.place.stack, pair.a.place.layer or 0))
        if pair.b is not None and _is_in_layer(pair.b):
            stack = stacks[pair.b.place.stack]
            in_b.add((stack, pair.b.place.layer or 0))
    return bool(in_a) and bool(in_b) and in_a != in_b


def _is_in_layer(piece: Piece) -> bool:
    return piece.is_matrix and piece.place.layer is not None
