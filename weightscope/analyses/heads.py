"""`--per-head`: q, k, v and o cut into attention heads, which are read alone; their number comes from config.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..checkpoints.views import Part, Transpose
from ..geometry import Index
from ..naming import heads_in
from .analysis import Piece

UNKNOWN = "heads unknown: no num_attention_heads in config.json"


def per_head(pieces: Sequence[Piece], config: Mapping[str, object]) -> Iterator[Piece]:
    """Each head of what reads or writes heads as a piece of its own; other pieces as they are.

    Rows of q, k and v are a head's outputs, columns of o its inputs; k and v have as many heads as keys and values do.
    """
    for piece in pieces:
        if piece.place.role not in ("attn.q", "attn.k", "attn.v", "attn.o") or piece.entry is None:
            yield piece
            continue
        across = piece.place.role == "attn.o"
        many = heads_in(config, piece.place.in_set if across else piece.place.out_set)
        lines = piece.entry.shape[1 if across else 0]
        if many and lines % many == 0:
            yield from (_head(piece, i, lines // many, across) for i in range(many))
        else:
            yield replace(piece, note="; ".join(n for n in (piece.note, UNKNOWN) if n))


def _head(piece: Piece, i: int, width: int, across: bool) -> Piece:
    """Head i: `width` rows of the matrix, or columns."""
    assert piece.entry is not None
    lines = Index(i * width, width)
    entry = Transpose(Part(Transpose(piece.entry), lines)) if across else Part(piece.entry, lines)
    part = f"{piece.place.part}.{i}" if piece.place.part else str(i)
    stem = piece.name.removesuffix(f"[{piece.place.part}]")
    size = entry.shape[0] * entry.shape[1]
    return replace(piece, name=f"{stem}[{part}]", place=replace(piece.place, part=part), entry=entry, params=size)
