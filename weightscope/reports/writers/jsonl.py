"""JSON Lines: one record a line, each as in the JSON array."""

from __future__ import annotations

from typing import BinaryIO

from ..screen import Screen
from ..tables import Table
from .json import records
from .writer import Writer


def _write(table: Table, stream: BinaryIO, screen: Screen) -> None:
    for record in records(table):
        stream.write(record.encode("ascii") + b"\n")


JSONL = Writer("jsonl", (".jsonl", ".ndjson"), "one record a line, as in json", _write)
