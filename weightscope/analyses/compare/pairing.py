"""Pairs of the pieces of two checkpoints: by name, by name without wrappers, by place.

Each step pairs only what the steps before left. What has several candidates, or none, stays alone:
a pair is never completed with something else.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace

from ...naming import bare
from ...notes import united
from ...order import natural
from ..piece import Model, Piece
from .by_place import pair_stacks, place_key
from .common_lines import first_common
from .matching import Key, Matching
from .pair import MATCHING, Pair, pair_of
from .renaming import Renaming, refuse_collisions
from .row_order import in_one_order

Names = Mapping[Piece, tuple[str, str]]  # name to compare, and part


def paired(a: Model, b: Model, renaming: Renaming) -> tuple[Pair, ...]:
    """Every piece of both models in one pair, in natural order of the names of A, else of B.

    Pairs of other numbers of rows are reduced to their common rows. UsageError if the renaming
    gives two tensors of a model one name.
    """
    return tuple(on_common_lines(pair) for pair in paired_whole(a, b, renaming))


def paired_whole(a: Model, b: Model, renaming: Renaming) -> tuple[Pair, ...]:
    """The same pairs, of whole pieces."""
    names_a = {piece: (renaming.in_a(stem), part) for piece, stem, part in _named(a)}
    names_b = {piece: (renaming.in_b(stem), part) for piece, stem, part in _named(b)}
    if renaming:
        _refuse_collisions(names_a, "A")
        _refuse_collisions(names_b, "B")
    matching = Matching(a.pieces, b.pieces)
    _by_name(matching, names_a, names_b)
    _by_place(matching, renaming)
    configs = a.checkpoint.config, b.checkpoint.config
    pairs = [_pair(mine, other, *configs) for mine, other in matching.all()]
    return tuple(sorted(pairs, key=lambda pair: natural(pair.name)))


def _by_name(matching: Matching, names_a: Names, names_b: Names) -> None:
    """Equal names, then names that are equal without wrappers."""
    matching.step(names_a.__getitem__, names_b.__getitem__)
    matching.step(_without_wrappers(names_a), _without_wrappers(names_b))


def _without_wrappers(names: Names) -> Key:
    def key(piece: Piece) -> Hashable:
        name, part = names[piece]
        return bare(name), part

    return key


def _by_place(matching: Matching, renaming: Renaming) -> None:
    """Equal places; a tensor that the user renamed has no other partner."""
    renamed = [piece for piece in matching.a if renaming.renames(_stem(piece))]
    for piece in renamed:
        del matching.a[piece]
    matching.step(place_key, place_key)
    pair_stacks(matching)
    matching.a |= dict.fromkeys(renamed)


def _pair(a: Piece | None, b: Piece | None, *configs: Mapping[str, object]) -> Pair:
    """The pair, with rows of B in the order of A."""
    if a is None or b is None:
        return pair_of(a, b)
    a, b, unordered = in_one_order(a, b, *configs)
    notes = united(a.notes, b.notes, unordered)
    return replace(pair_of(a, b), notes=notes, ordered=unordered is None)


def on_common_lines(pair: Pair) -> Pair:
    """The pair on the first rows that both sides have, where they differ in these alone."""
    if pair.a is None or pair.b is None or not pair.ordered:
        return pair
    a, b, shorter = first_common(pair.a, pair.b)
    if shorter is None:
        return pair
    notes = united(pair.notes, shorter)
    return replace(pair_of(a, b), notes=notes, rule="first", least=MATCHING)


def _named(model: Model) -> Iterator[tuple[Piece, str, str]]:
    """Each piece with the stored name, and the part behind it."""
    for piece in model.pieces:
        stem = _stem(piece)
        yield piece, stem, piece.name[len(stem) :]


def _stem(piece: Piece) -> str:
    """The name without [part], [lora] or [weight_norm]; of a product the name of its module."""
    if piece.name.startswith(piece.stored.name):
        return piece.stored.name
    return piece.name.partition("[")[0]


def _refuse_collisions(names: Names, where: str) -> None:
    compared = [(_stem(piece), name) for piece, (name, _) in names.items()]
    refuse_collisions(compared, where)
