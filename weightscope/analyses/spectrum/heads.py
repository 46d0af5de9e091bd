"""`--per-head`: q, k, v and o split into attention heads; config.json has the number of heads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ...checkpoints import Entry
from ...checkpoints.views import Part, Product, Transpose
from ...geometry import Index
from ...naming import heads_in
from ...notes import Note, united
from ..piece import Piece

UNKNOWN = Note("heads-unknown", "heads unknown: no num_attention_heads in config.json")
FUSED = Note("heads-unknown", "heads unknown: q, k and v are fused in one matrix")
MOST = 1 << 14  # heads of one matrix: a larger number in config.json is an error, not a model
ROLES = ("attn.q", "attn.k", "attn.v", "attn.qkv", "attn.o")
TOWERS = {"vis": "vision_config", "aud": "audio_config"}  # how the names of stacks begin


def per_head(pieces: Sequence[Piece], config: Mapping[str, object]) -> Iterator[Piece]:
    """Each head of an attention matrix as a piece; other pieces unchanged.

    A head is a range of rows (outputs) of q, k and v, and a range of columns (inputs) of o. k and v
    have as many heads as the model has keys and values.
    """
    for piece in pieces:
        if not _has_heads(piece):
            yield piece
            continue
        assert piece.entry is not None
        columns = piece.place.role == "attn.o"
        index_set, lines = piece.place.out_set, piece.entry.shape[0]
        if columns:
            index_set, lines = piece.place.in_set, piece.entry.shape[1]
        heads = heads_in(tower_config(config, piece.place.stack), index_set)
        reason = _not_split(piece, heads, lines)
        if reason:
            yield replace(piece, notes=united(piece.notes, reason))
            continue
        for i in range(heads):
            yield _head(piece, i, lines // heads, columns)


def _has_heads(piece: Piece) -> bool:
    """Whether a piece is a decoded attention matrix of several heads."""
    if piece.place.role not in ROLES or piece.entry is None or not piece.params:
        return False
    return piece.place.expert is None  # in a stack of heads each slice is one head already


def tower_config(config: Mapping[str, object], stack: str) -> Mapping[str, object]:
    """The table of config.json about a tower: a vision or audio tower has a table of its own."""
    name = TOWERS.get(stack[:3])
    if name is None:
        return config
    table = config.get(name)
    if isinstance(table, Mapping):
        return table
    return {}  # not `config`: its number of heads is that of the language model


def _not_split(piece: Piece, heads: int, lines: int) -> Note | None:
    """The reason why a piece is not split into heads, None where it can be."""
    if piece.place.role == "attn.qkv":
        return FUSED
    if not heads:
        return UNKNOWN
    if heads > MOST:
        template = f"heads unknown: {{many}} in config.json, more than the limit of {MOST}"
        return Note.of("heads-unknown", template, many=heads)
    if lines % heads or not lines:
        template = "heads unknown: {lines} rows or columns do not divide into {many} heads"
        return Note.of("heads-unknown", template, lines=lines, many=heads)
    return None


def _head(piece: Piece, i: int, width: int, columns: bool) -> Piece:
    """Head i: `width` rows of the matrix, or columns."""
    assert piece.entry is not None
    entry = _range_of(piece.entry, Index(i * width, width), columns)
    place = piece.place
    part, label = _numbered(place.part, i), _numbered(place.piece, i)
    # c_attn[k] becomes c_attn[k.2]
    stem = piece.name.removesuffix(f"[{place.piece}]")
    return replace(
        piece,
        name=f"{stem}[{label}]",
        place=replace(place, part=part, piece=label),
        entry=entry,
        params=entry.shape[0] * entry.shape[1],
    )


def _numbered(label: str, i: int) -> str:
    """`k.2` for head 2 of k, `2` for head 2 of a tensor without parts."""
    if label:
        return f"{label}.{i}"
    return str(i)


def _range_of(entry: Entry, lines: Index, columns: bool) -> Entry:
    """A range of rows or columns of a matrix; of a product B A, of one factor: still a product."""
    if isinstance(entry, Product):
        if columns:
            return replace(entry, a=_range_of(entry.a, lines, True))
        return replace(entry, b=Part(entry.b, lines))  # rows of B are those of B A
    if columns:
        return Transpose(Part(Transpose(entry), lines))
    return Part(entry, lines)
