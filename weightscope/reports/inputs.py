"""The files that a run reads: no report, table, picture or provenance may replace them.

Names do not identify a file: another spelling or a link leads to the same bytes. Files are compared
by device and inode. No input is opened here: an output is refused before anything is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..escape import escaped
from .earlier import is_report

CHECKPOINTS = (
    ".safetensors", ".st", ".gguf", ".ggml", ".pt", ".pth", ".bin", ".ckpt", ".th", ".pkl", ".npz",
    ".npy", ".h5", ".onnx", ".msgpack",
)  # fmt: skip
STDOUT = "-"
ELSEWHERE = "name another file"


@dataclass(frozen=True)
class Inputs:
    """Files that are read, and folders of models, in which only earlier reports may be replaced.

    `columns` are those of the run; by them an earlier report is recognised.
    """

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    columns: frozenset[str] = frozenset()

    def check(self, output: str | Path) -> None:
        """Refuses an output that would replace an input or another checkpoint (UsageError)."""
        target = os.path.realpath(output)
        if not os.path.isfile(target):
            return
        if any(_same(target, path) for path in self.files):
            problem = f"found {escaped(str(output))}, which this run reads"
            raise UsageError("expected an output that replaces no input", problem, ELSEWHERE)
        if target.lower().endswith(CHECKPOINTS):
            name = escaped(str(output))
            problem = f"found {name}, which exists and has the suffix of a checkpoint"
            raise UsageError("expected an output that replaces no checkpoint", problem, ELSEWHERE)
        inside = any(_belongs(target, folder) for folder in self.folders)
        if inside and not is_report(target, self.columns):
            problem = f"found {escaped(str(output))}, an existing file of the model's folder"
            raise UsageError(
                "expected an output that replaces no input",
                problem,
                f"{ELSEWHERE}, or remove it first",
            )


NOTHING = Inputs()


def check_distinct(outputs: Iterable[str]) -> None:
    """Refuses two outputs to one file or to stdout; a pipe or a device may have several."""
    targets: set[str] = set()
    for output in outputs:
        if output == STDOUT:
            target = STDOUT
        else:
            target = os.path.realpath(output)
        if target in targets and not _special(target):
            if target == STDOUT:
                name = "stdout (-)"
            else:
                name = escaped(output)
            raise UsageError(
                "expected a different file for each output", f"found {name} twice", ELSEWHERE
            )
        targets.add(target)


def _belongs(target: str, folder: str) -> bool:
    """Whether a file lies in a folder, at any depth or through a link."""
    home = os.path.realpath(folder)
    if os.path.commonpath((home, target)) == home:
        return True
    try:
        entries = list(os.scandir(folder))
    except OSError:  # opening the folder as a model fails later, with a better message
        return False
    return any(_same(target, entry.path) for entry in entries)


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
