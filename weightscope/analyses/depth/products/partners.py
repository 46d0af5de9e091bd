"""Which matrix is applied before which: v before o of one attention, up before down of one MLP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ....checkpoints.views import Product
from ....naming import heads_in
from ....notes import Note
from ...piece import Model, Piece
from ...spectrum.heads import MOST, UNKNOWN, tower_config

BEFORE = {"attn.o": "attn.v", "mlp.down": "mlp.up", "moe.expert.down": "moe.expert.up"}
ROLES = frozenset(BEFORE)  # the roles that have a product
ALONE = Note("no-product", "no matrix before it in its layer: no product")
OF_UPDATES = Note("no-product", "updates of an adapter: their product is none of the model")


@dataclass(frozen=True, eq=False)
class Composed:
    """A matrix, the matrix that is applied before it, and their heads; `reason`: no product.

    Each of `heads` of the later matrix reads one of `kv_heads` of the earlier one; an MLP has none.
    """

    earlier: Piece | None = None
    heads: int = 0
    kv_heads: int = 0
    reason: Note | None = None


def composed(model: Model) -> Mapping[str, Composed]:
    """By the name of each later matrix what it composes with, selected or not."""
    places = {}
    for piece in model.placed:
        if piece.place.role in BEFORE.values():
            places[_place(piece, piece.place.role)] = piece
    found = {}
    for piece in model.pieces:
        role = piece.place.role
        if role in BEFORE:
            earlier = places.get(_place(piece, BEFORE[role]))
            found[piece.name] = _composed(piece, earlier, model.checkpoint.config)
    return found


def _place(piece: Piece, role: str) -> tuple[object, ...]:
    """The place of a matrix of another role in the same block; experts by their number."""
    place = piece.place
    return place.stack, place.layer, place.slot, place.part, place.kind, role


def _composed(later: Piece, earlier: Piece | None, config: Mapping[str, object]) -> Composed:
    if earlier is None or not earlier.is_matrix or not later.is_matrix:
        return Composed(reason=ALONE)
    if isinstance(later.entry, Product) or isinstance(earlier.entry, Product):
        return Composed(reason=OF_UPDATES)
    assert later.entry is not None
    assert earlier.entry is not None
    if "unknown" in (later.place.orientation, earlier.place.orientation):
        return Composed(reason=Note("orientation-unknown", "rows or columns are outputs: unknown"))
    _, inputs = later.entry.shape
    outputs, _ = earlier.entry.shape
    if later.place.role == "attn.o":
        return _by_heads(later, earlier, (inputs, outputs), config)
    if inputs != outputs:
        return Composed(reason=_unlike(inputs, outputs))
    return Composed(earlier)


def _by_heads(
    later: Piece, earlier: Piece, lines: tuple[int, int], config: Mapping[str, object]
) -> Composed:
    """The heads of o and of v: as wide, and those of o a multiple of those of v."""
    table = tower_config(config, later.place.stack)
    heads = heads_in(table, later.place.in_set)
    kv_heads = heads_in(table, earlier.place.out_set)
    if not heads or not kv_heads or max(heads, kv_heads) > MOST:
        return Composed(reason=UNKNOWN)
    inputs, outputs = lines
    divides = inputs % heads == 0 and outputs % kv_heads == 0 and heads % kv_heads == 0
    if not divides or inputs // heads != outputs // kv_heads:
        template = "heads unknown: {inputs} inputs of {heads} heads, {outputs} outputs of {kv}"
        return Composed(
            reason=Note.of(
                "heads-unknown", template, inputs=inputs, heads=heads, outputs=outputs, kv=kv_heads
            )
        )
    return Composed(earlier, heads, kv_heads)


def _unlike(inputs: int, outputs: int) -> Note:
    template = "{inputs} inputs after {outputs} outputs: no product"
    return Note.of("no-product", template, inputs=inputs, outputs=outputs)
