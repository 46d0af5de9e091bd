"""Whether an existing file is an earlier report of ours: those may be replaced where a model's own files may not.

Its first line, or the metadata of a Parquet file, tells. A file that merely has the suffix of a table is somebody's.
"""

from __future__ import annotations

import re
from collections.abc import Set
from pathlib import Path

PICTURES = (".png", ".svg", ".pdf")  # which no loader of models reads
PARQUET = (".parquet", ".pq")
HEAD, TAIL = 1 << 16, 1 << 20  # bytes: of a header line, and of a Parquet file's metadata
PROVENANCE = b'{\n  "version": '
_RECORD = re.compile(rb'(?:\[\n)?\{"([a-z0-9_]+)": ')


def is_report(path: str, columns: Set[str]) -> bool:
    """Whether a file was written by a run with these columns; False where it cannot be read."""
    try:
        return _is_report(Path(path), columns)
    except OSError:
        return False


def _is_report(path: Path, columns: Set[str]) -> bool:
    suffix = path.suffix.lower()
    if suffix in PICTURES:
        return True
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
    names = re.split(
        r"[,\t|]", head.split(b"\n")[0].decode("utf-8", "replace").replace("\\", "").strip("| \r")
    )
    return {name.strip() for name in names} <= columns
