"""Which piece of A each piece of B is compared with, given the layers that correspond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ....checkpoints.views import Halves
from ....notes import united
from ....order import natural
from ...piece import Piece
from ..pair import Pair, pair_of
from ..row_order import Config, in_one_order
from .keys import Key, key_of_a, key_of_b

LayerOf = Mapping[str, Mapping[int, int]]  # by stack of A: the layer of A of each layer of B
Spot = tuple[Key, int | None]


def assigned(
    pairs: Sequence[Pair],
    stacks: Mapping[str, str],
    layers: LayerOf,
    configs: tuple[Config, Config],
) -> list[Pair]:
    """Every piece of B with the one of A that it corresponds to; pieces of A that are left.

    A piece of A may be in several pairs: layers are repeated, experts are copied.
    """
    of_a = {_spot_of_a(pair.a): pair.a for pair in pairs if pair.a is not None}
    found: list[Pair] = []
    for pair in pairs:
        if pair.b is None:
            continue
        a = _source(pair, stacks, layers, of_a)
        if a is pair.a:
            found.append(pair)
        else:
            found.append(_paired(a, pair.b, configs))
    taken = {pair.a for pair in found}
    left = [pair_of(pair.a, None) for pair in pairs if pair.a is not None and pair.a not in taken]
    return sorted([*found, *left], key=_position)


def _spot_of_a(piece: Piece) -> Spot:
    return key_of_a(piece), piece.place.layer


def _source(
    pair: Pair, stacks: Mapping[str, str], layers: LayerOf, of_a: Mapping[Spot, Piece]
) -> Piece | None:
    """The piece of A for the B of a pair: in the layer that corresponds, else by name."""
    assert pair.b is not None
    if pair.a is not None:
        key = key_of_a(pair.a)
    else:
        key = key_of_b(pair.b, stacks)
    of_stack = layers.get(key.stack)
    layer = pair.b.place.layer
    if of_stack is not None and layer is not None:
        if layer not in of_stack:
            return None
        layer = of_stack[layer]
        same = of_a.get((key, layer))
    else:
        same = pair.a
    if same is None and key.dense is not None:
        return of_a.get((key.dense, layer))
    return same


def _paired(a: Piece | None, b: Piece, configs: tuple[Config, Config]) -> Pair:
    """The pair, with rows of B in the order of A."""
    if a is None:
        return pair_of(None, b)
    unordered = None
    if not isinstance(a.entry, Halves) and not isinstance(b.entry, Halves):
        a, b, unordered = in_one_order(a, b, *configs)
    notes = united(a.notes, b.notes, unordered)
    return replace(pair_of(a, b), notes=notes, ordered=unordered is None)


def _position(pair: Pair) -> tuple[object, object]:
    """In natural order of the names of A, of a repeated tensor by the names of B."""
    return natural(pair.name), natural(pair.other_name or pair.name)
