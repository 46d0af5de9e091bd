"""What a checkpoint format declares: how its files are recognised, and the function that reads one.

Contract: `read` refuses what it cannot trust with CheckpointError, and reads no payload.
Law: reading a file that the format's own library wrote returns the name, shape, dtype and bytes of
every tensor (tests/checkpoints/test_readers.py, for every member of READERS).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..checkpoint import Checkpoint

if TYPE_CHECKING:
    from ..opening import Opening

HEAD = 512  # first bytes of a file that decide its format: the magic of a tar is at byte 257


@dataclass(frozen=True)
class Reader:
    """One format; folders, recognition and messages derive from these fields."""

    name: str  # as messages spell it
    suffixes: tuple[str, ...]  # with the dot, in lower case; a folder is searched for them
    begins: Callable[[bytes], bool]  # whether the first HEAD bytes are those of the format
    read: Callable[[str, Opening], Checkpoint]  # (path, how to open it)
    nested: bool = False  # whether a file may hold nested dicts, one of which --root selects
