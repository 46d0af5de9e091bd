"""What an output format is: a name, the suffixes that mean it, and a function from a table to bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from ..screen import Screen
from ..tables import Table


@dataclass(frozen=True)
class Writer:
    """`write(table, stream, screen)`; law: reading what a machine format wrote gives the same table back."""

    name: str
    suffixes: tuple[str, ...]
    write: Callable[[Table, BinaryIO, Screen], None]
    binary: bool = False
