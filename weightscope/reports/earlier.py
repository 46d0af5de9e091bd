"""Recognises an earlier report of weightscope: those may be replaced in a model's folder.

The first line of the file decides, or the metadata of a Parquet file. The suffix of a table proves
nothing: any program may have written the file.
"""

from __future__ import annotations

import re
from collections.abc import Set
from pathlib import Path

PICTURES = (".png", ".svg", ".pdf", ".gif")  # no loader of models reads them
PARQUET = (".parquet", ".pq")
HEAD = 1 << 16  # bytes of a header line
TAIL = 1 << 20  # bytes at the end of a Parquet file that hold its metadata
PROVENANCE = b'{\n  "version": '
_RECORD = re.compile(rb'(?:\[\n)?\{"([a-z0-9_]+)": ')  # JSON and JSON Lines: the first column


def is_report(path: str, columns: Set[str]) -> bool:
    """Whether a run with these columns wrote the file; False where it cannot be read."""
    try:
        return _is_report(Path(path), columns)
    except OSError:
        return False


def _is_report(path: Path, columns: Set[str]) -> bool:
    suffix = path.suffix.lower()
    if suffix in PICTURES:
        return True  # models have no pictures that a loader reads
    with path.open("rb") as file:
        head = file.read(HEAD)
        if suffix in PARQUET:
            file.seek(max(0, path.stat().st_size - TAIL))
            return b"weightscope" in file.read()
    if head.startswith(PROVENANCE) or head == b"[]\n":
        return True
    record = _RECORD.match(head)
    if record is not None:
        return record.group(1).decode() in columns
    return _header_names(head) <= columns


def _header_names(head: bytes) -> set[str]:
    """Column names of a header line in CSV, TSV or Markdown."""
    line = head.split(b"\n")[0].decode("utf-8", "replace")
    line = line.replace("\\", "").strip("| \r")  # Markdown escapes `_` and has bars at both ends
    return {name.strip() for name in re.split(r"[,\t|]", line)}
