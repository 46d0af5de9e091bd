"""The entry whose stored words are compared: also of codes and types without values."""

from __future__ import annotations

from ...checkpoints import Entry
from ...dtypes import DTYPES
from ..piece import Piece

UNDECODED = ("codes-not-decoded", "type-not-decoded")


def words(piece: Piece | None) -> Entry | None:
    """The measured entry, else the stored tensor where only its values are unknown.

    None where nothing can be read, or elements do not fill whole bytes.
    """
    if piece is None:
        return None
    if piece.entry is not None:
        return piece.entry
    stored = piece.stored
    if not stored.file and stored.tensor is None:
        return None
    undecoded = any(note.code in UNDECODED for note in (*piece.notes, *stored.notes))
    if not undecoded or not stored.params or DTYPES[stored.dtype].bits % 8:
        return None
    return stored
