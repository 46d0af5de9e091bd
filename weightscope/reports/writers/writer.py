"""An output format: name, suffixes, a line for the pages, a function from a table to bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from ..screen import Screen
from ..tables import Table


@dataclass(frozen=True)
class Writer:
    """`write(table, stream, screen)` writes all of a table.

    Law: a format for programs reads back as the same table.
    """

    name: str
    suffixes: tuple[str, ...]  # the first one is used in messages
    about: str  # who it is for and how it stores values, for docs/formats.md
    write: Callable[[Table, BinaryIO, Screen], None]
    binary: bool = False  # no text: it is not written to a terminal
