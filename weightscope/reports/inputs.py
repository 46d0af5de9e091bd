"""What a run reads: no report, table, picture or provenance may replace it.

A name says little: another spelling, a link and a file inside a model's folder all lead to the same bytes. Files are
compared by device and inode. Nothing is opened here, so that a refusal comes before any reading.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import Usage
from ..escape import escaped

CHECKPOINTS = (".safetensors", ".gguf", ".pt", ".pth", ".bin", ".ckpt", ".th")
# Files that an earlier run may have left in a model's folder and that no loader of models reads.
REPORTS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq", ".png", ".svg", ".pdf")
ELSEWHERE = "name another file"


@dataclass(frozen=True)
class Inputs:
    """Files that are read, and folders of models, of which every file counts that is no earlier report."""

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    def check(self, output: str | Path) -> None:
        """Refuses an output that would replace an input or another checkpoint. Raises Usage."""
        target = os.path.realpath(output)
        if not os.path.isfile(target):
            return
        if any(_same(target, path) for path in self.files):
            found = f"found {escaped(str(output))}, which this run reads"
            raise Usage("expected an output that replaces no input", found, ELSEWHERE)
        if target.lower().endswith(CHECKPOINTS):
            found = f"found {escaped(str(output))}, which exists and has the suffix of a checkpoint"
            raise Usage("expected an output that replaces no checkpoint", found, ELSEWHERE)
        if any(_belongs(target, folder) for folder in self.folders):
            found = f"found {escaped(str(output))}, an existing file of the model's folder"
            raise Usage("expected an output that replaces no input", found, f"{ELSEWHERE}, or remove it first")


NOTHING = Inputs()


def check_distinct(outputs: Iterable[str]) -> None:
    """Refuses two outputs that lead to one file; pipes and devices take any number. Raises Usage."""
    seen: set[str] = set()
    for output in outputs:
        target = os.path.realpath(output)
        if target in seen and not _special(target):
            found = f"found {escaped(output)} twice"
            raise Usage("expected a file of its own for each output", found, ELSEWHERE)
        seen.add(target)


def _belongs(target: str, folder: str) -> bool:
    """Whether a file lies in a folder, at any depth or through a link, and is no earlier report."""
    home = os.path.realpath(folder)
    inside = os.path.commonpath((home, target)) == home and not target.lower().endswith(REPORTS)
    return inside or any(_same(target, path) for path in _files_of_the_model(folder))


def _files_of_the_model(folder: str) -> Iterator[str]:
    """The files directly in a folder, save earlier reports."""
    try:
        entries = list(os.scandir(folder))
    except OSError:  # what cannot be listed is refused when it is opened, with a better message
        return
    yield from (entry.path for entry in entries if not entry.name.lower().endswith(REPORTS))


def _same(target: str, path: str) -> bool:
    try:
        return os.path.samefile(target, path)
    except (OSError, ValueError):
        return False


def _special(target: str) -> bool:
    try:
        return not stat.S_ISREG(os.stat(target).st_mode)
    except (OSError, ValueError):
        return False
