"""The format of a file or a stream."""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError
from .screen import FILE, Screen
from .writers import WRITERS, Writer


def format_of(path: str | Path, explicit: str | None = None) -> str:
    """The name of the format: `explicit`, else that of the suffix.

    >>> format_of("report.jsonl"), format_of("report.dat", "csv")
    ('jsonl', 'csv')
    """
    if explicit:
        return writer_for(explicit).name
    suffix = Path(path).suffix.lower()
    for writer in WRITERS.values():
        if suffix in writer.suffixes:
            return writer.name
    suffixes: list[str] = []
    for writer in WRITERS.values():
        suffixes += writer.suffixes
    raise UsageError(
        f"expected a file ending in one of {' '.join(suffixes)}",
        f"found '{path}'",
        "name the format with --format",
    )


def default_format(screen: Screen) -> str:
    """A table for a terminal, CSV for a pipe."""
    return "table" if screen.terminal else "csv"


def writer_for(name: str, screen: Screen = FILE) -> Writer:
    """The writer of a format; a binary one does not write to a terminal."""
    if name not in WRITERS:
        raise UsageError(
            f"expected a format: {', '.join(WRITERS)}", f"found '{name}'", "choose one of them"
        )
    writer = WRITERS[name]
    if writer.binary and screen.terminal:
        raise UsageError(
            f"expected a file or a pipe for {name}",
            "found a terminal",
            f"add --output report{writer.suffixes[0]}",
        )
    return writer
