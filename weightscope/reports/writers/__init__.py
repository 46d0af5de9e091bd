"""The output formats, one file each; a new one is its file and its line here."""

from __future__ import annotations

from .csv import CSV
from .json import JSON
from .jsonl import JSONL
from .markdown import MARKDOWN
from .parquet import PARQUET
from .table import TABLE
from .tsv import TSV
from .writer import Writer

WRITERS: dict[str, Writer] = {w.name: w for w in (TABLE, CSV, TSV, JSON, JSONL, PARQUET, MARKDOWN)}

__all__ = ["WRITERS", "Writer"]
