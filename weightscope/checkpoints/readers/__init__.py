"""One reader per format: the bytes of a file decide which.

Contract: a reader refuses what it cannot trust with CheckpointError, and reads nothing of the payload.
Law: reading what a format's own library wrote gives every tensor's name, shape, dtype and bytes back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..checkpoint import Checkpoint
from . import safetensors, torch_file
from .sniff import sniff

if TYPE_CHECKING:
    from ..opening import Opening

READERS: Mapping[str, Callable[[str, Opening], Checkpoint]] = {
    "safetensors": lambda path, opening: safetensors.read(path, opening.strict, opening.salvage),
    "torch": lambda path, opening: torch_file.read(path, opening.root),
}


def read_file(path: str, opening: Opening) -> Checkpoint:
    """The tensors of one file of whatever format its bytes have; raises CheckpointError."""
    return READERS[sniff(path)](path, opening)
