"""The output formats, one file each: a new one is its file, its import and its line here."""

from __future__ import annotations

from .csv import CSV
from .json import JSON
from .jsonl import JSONL
from .markdown import MARKDOWN
from .parquet import PARQUET
from .table import TABLE
from .tsv import TSV
from .writer import Writer

MEMBERS = (
    TABLE,
    CSV,
    TSV,
    JSON,
    JSONL,
    PARQUET,
    MARKDOWN,
)
WRITERS: dict[str, Writer] = {writer.name: writer for writer in MEMBERS}

__all__ = ["WRITERS", "Writer"]
