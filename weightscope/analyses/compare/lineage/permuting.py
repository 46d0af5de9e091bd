"""Pairs of permuted neurons: rows or columns of B in the order of A's neurons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..pair import Pair, joined_rules
from .neurons import DOWN, GATE, HIDDEN, UP, Layer, Matched, layer_of
from .slicing import on_lines

PERMUTED = "permuted"
ROLES = (GATE, UP, DOWN)


def in_one_order(pairs: Sequence[Pair], found: Mapping[Layer, Matched]) -> list[Pair]:
    """The pairs, those with the neurons of a matched layer in the order of A's."""
    return [_ordered(pair, found) for pair in pairs]


def _ordered(pair: Pair, found: Mapping[Layer, Matched]) -> Pair:
    """One pair; gate, up and down matrices also get the columns of the assignment."""
    if pair.a is None or pair.b is None or pair.resized:
        return pair
    has_neurons = HIDDEN in (pair.place.out_set, pair.place.in_set)
    matched = found.get(layer_of(pair))
    if not has_neurons or matched is None:
        return pair
    if pair.is_matrix and pair.place.role.rpartition(".")[2] in ROLES:
        pair = replace(pair, found={**pair.found, **matched.columns})
    order = matched.order
    if order is None:
        return pair
    rows = order if pair.place.out_set == HIDDEN else None
    columns = order if pair.place.in_set == HIDDEN else None
    placed = on_lines(pair, (None, rows), (None, columns))
    return replace(placed, rule=joined_rules(pair.rule, PERMUTED))
