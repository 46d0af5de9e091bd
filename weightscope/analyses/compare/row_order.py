"""Rows of q and k in one order: that of transformers, where a checkpoint interleaves the rows.

The row orders differ between names of Meta or GGUF and those of transformers. What is interleaved
is read in halves if a config has the number of heads; else only distributions can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...checkpoints.views import Halves, Transpose
from ...naming import heads_in, row_order
from ...notes import Note
from ..piece import Piece

Config = Mapping[str, object]
Ordered = tuple[Piece, Piece, Note | None]  # with a note: the rows are in different orders


def in_one_order(a: Piece, b: Piece, config_a: Config, config_b: Config) -> Ordered:
    """Both pieces with rows in the order of transformers where their orders differ."""
    if a.place.rotary == b.place.rotary or a.entry is None or b.entry is None:
        return a, b, None
    order_a = row_order(a.place, (config_a, config_b))
    order_b = row_order(b.place, (config_b, config_a))
    if "unknown" in (order_a, order_b):
        return a, b, _unordered("model_type")
    if order_a == order_b:
        return a, b, None
    if a.entry.shape != b.entry.shape:
        return a, b, _unordered("equal shapes")
    stored = a if order_a == "interleaved" else b
    head = _head(stored, (config_a, config_b))
    if not head:
        return a, b, _unordered("the number of heads")
    halves = _in_halves(stored, head)
    return (halves, b, None) if stored is a else (a, halves, None)


def _unordered(need: str) -> Note:
    template = "the orders of the rows in a head differ, and {need} would align them: laws only"
    return Note.of("head-order", template, need=need)


def _head(piece: Piece, configs: Sequence[Config]) -> int:
    """Rows of a head; 0 where the configs do not state heads, or heads that do not fit the rows."""
    index_set = piece.place.in_set if _is_vector(piece) else piece.place.out_set
    stated = {heads_in(config, index_set) for config in configs} - {0}
    if len(stated) != 1:
        return 0
    (heads,) = stated
    head, left = divmod(_rows(piece), heads)
    return 0 if left or head % 2 else head


def _in_halves(piece: Piece, head: int) -> Piece:
    """Even rows of each head, then odd ones; the rows of a vector are its elements."""
    entry = piece.entry
    assert entry is not None
    if _is_vector(piece):
        turned = Halves(Transpose(entry), head)
        return replace(piece, entry=Transpose(turned))
    return replace(piece, entry=Halves(entry, head))


def _is_vector(piece: Piece) -> bool:
    return piece.place.kind == "bias"


def _rows(piece: Piece) -> int:
    assert piece.entry is not None
    rows, columns = piece.entry.shape
    return columns if _is_vector(piece) else rows
