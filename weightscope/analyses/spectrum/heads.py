"""`--per-head`: q, k, v and o cut into attention heads, which are read alone; their number comes from config.json."""

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
FUSED = Note("heads-unknown", "q, k and v are not apart: no heads")
MOST = 1 << 14  # heads of one matrix
ROLES = ("attn.q", "attn.k", "attn.v", "attn.qkv", "attn.o")


def per_head(pieces: Sequence[Piece], config: Mapping[str, object]) -> Iterator[Piece]:
    """Each head of what reads or writes heads as a piece of its own; other pieces as they are.

    Rows of q, k and v are a head's outputs, columns of o its inputs; k and v have as many heads as keys and values do.
    """
    for piece in pieces:
        stored_apart = piece.place.expert is not None  # a head of a stack of heads
        if piece.place.role not in ROLES or piece.entry is None or not piece.params or stored_apart:
            yield piece
            continue
        across = piece.place.role == "attn.o"
        own = _of_tower(config, piece.place.stack)
        many = heads_in(own, piece.place.in_set if across else piece.place.out_set)
        lines = piece.entry.shape[1 if across else 0]
        if reason := _whole(piece, many, lines):
            yield replace(piece, notes=united(piece.notes, reason))
        else:
            yield from (_head(piece, i, lines // many, across) for i in range(many))


def _of_tower(config: Mapping[str, object], stack: str) -> Mapping[str, object]:
    """What config.json says of a tower: of one that sees or hears beside a language model, its own table alone."""
    tower = {"vis": "vision_config", "aud": "audio_config"}.get(stack[:3])
    own = config.get(tower) if tower else config
    return own if isinstance(own, Mapping) else {}


def _whole(piece: Piece, many: int, lines: int) -> Note | None:
    """Why a piece has no heads, None where it has."""
    if piece.place.role == "attn.qkv":
        return FUSED
    if not many:
        return UNKNOWN
    if many > MOST:
        template = f"heads unknown: {{many}} in config.json, at most {MOST} are told apart"
        return Note.of("heads-unknown", template, many=many)
    if lines % many or not lines:
        return Note.of(
            "heads-unknown",
            "heads unknown: {lines} lines are not {many} heads",
            lines=lines,
            many=many,
        )
    return None


def _head(piece: Piece, i: int, width: int, across: bool) -> Piece:
    """Head i: `width` rows of the matrix, or columns."""
    assert piece.entry is not None
    entry = _lines(piece.entry, Index(i * width, width), across)
    whole = piece.place
    part = f"{whole.part}.{i}" if whole.part else str(i)
    cut = f"{whole.piece}.{i}" if whole.piece else str(i)
    stem = piece.name.removesuffix(f"[{whole.piece}]")
    size = entry.shape[0] * entry.shape[1]
    place = replace(whole, part=part, piece=cut)
    return replace(piece, name=f"{stem}[{cut}]", place=place, entry=entry, params=size)


def _lines(entry: Entry, lines: Index, across: bool) -> Entry:
    """Some rows of a matrix, or columns; of a product those of one factor, so that it stays a product."""
    if isinstance(entry, Product):
        return replace(
            entry,
            **({"a": _lines(entry.a, lines, True)} if across else {"b": Part(entry.b, lines)}),
        )
    return Transpose(Part(Transpose(entry), lines)) if across else Part(entry, lines)
