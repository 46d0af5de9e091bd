"""One reader per format (members.py); the first bytes of a file decide which one reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..checkpoint import Checkpoint
from .sniff import sniff

if TYPE_CHECKING:
    from ..opening import Opening


def read_file(path: str, opening: Opening) -> Checkpoint:
    """The tensors of one file, whichever format its bytes have; raises CheckpointError."""
    reader = sniff(path)
    return reader.read(path, opening)
