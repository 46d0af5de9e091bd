"""Properties of an output stream: terminal or not, width, colour, encoding.

`NO_COLOR`, `COLUMNS` and `TERM=dumb` are honoured.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

WIDTH = 80  # columns of a terminal that does not report its width


@dataclass(frozen=True)
class Screen:
    """Where a table is drawn; the default is a file: unlimited width, no colour."""

    terminal: bool = False
    width: int = WIDTH
    color: bool = False
    encoding: str = "utf-8"

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str] = os.environ) -> Screen:
        """The screen behind a text stream."""
        terminal = stream.isatty()
        plain = environment.get("NO_COLOR") or environment.get("TERM") in ("dumb", "unknown")
        width = _width(stream, environment.get("COLUMNS", ""))
        return cls(terminal, width, terminal and not plain, stream.encoding or "utf-8")

    def carries(self, text: str) -> bool:
        """Whether the encoding has every character of a text."""
        try:
            text.encode(self.encoding)
        except UnicodeError:
            return False
        return True


def _width(stream: TextIO, columns: str) -> int:
    # a longer number would be an error of typing and could exhaust memory
    if columns.isdecimal() and len(columns) < 6 and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDTH
    except (OSError, ValueError):
        return WIDTH


FILE = Screen()
