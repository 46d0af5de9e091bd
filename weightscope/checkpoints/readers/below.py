"""What is below a folder: a bounded search, for messages that name the path to use.

Links to folders are not followed, and hidden folders not entered. Nothing but names is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...errors import CheckpointError
from ...escape import escaped, listed
from ...order import natural
from .. import files
from .inside import listing

FOLDERS = 200  # that one search lists
DEPTH = 4  # levels below the folder
LINE = 256  # bytes of a file that names a step or a commit
PATH = 1000  # characters of a path in a message: shortened it would lead nowhere


@dataclass(frozen=True)
class Folder:
    """A folder, listed once: its path and the names in it, in natural order."""

    path: str
    names: Sequence[str]

    @cached_property
    def folders(self) -> list[str]:
        """Those of the names that are folders, without links and hidden ones."""
        try:
            with os.scandir(self.path) as entries:
                inner = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            return []
        return sorted((name for name in inner if not name.startswith(".")), key=natural)

    def files(self, suffixes: tuple[str, ...]) -> list[str]:
        """The names that end like this in lower case and are no folders."""
        named = [name for name in self.names if name.lower().endswith(suffixes)]
        return [name for name in named if not os.path.isdir(os.path.join(self.path, name))]

    def inner(self, relative: str) -> Folder:
        """A folder below; empty where there is none, or it may not be listed; "" for itself."""
        if not relative:
            return self
        path = os.path.join(self.path, relative)
        names: Sequence[str] = ()
        if os.path.isdir(path):
            try:
                names = listing(path)
            except CheckpointError:
                names = ()
        return Folder(path, names)

    def line(self, name: str) -> str:
        """The text of a small file of one line; "" where there is none."""
        path = os.path.join(self.path, name)
        try:
            size, _ = files.identity(path)
            line = files.read_bytes(path, 0, min(size, LINE))
        except CheckpointError:
            return ""
        return line.decode("utf-8", "replace").strip()


# From a folder to its models: "" for the folder itself, or files to choose from.
Models = Callable[[Folder], Sequence[str]]


def models_below(folder: Folder, models: Models, depth: int = DEPTH) -> list[str]:
    """Paths of models relative to the folder, the nearest first."""
    found: list[str] = []
    level = folder.folders
    count = 0
    for _ in range(depth):
        deeper: list[str] = []
        for relative in level:
            count += 1
            if count > FOLDERS:
                return found
            inner = folder.inner(relative)
            there = models(inner)
            if there:
                found += [os.path.join(relative, model).rstrip(os.sep) for model in there]
            else:
                deeper += [os.path.join(relative, name) for name in inner.folders]
        level = deeper
    return found


def to_use(folder: Folder, relative: Sequence[str]) -> str:
    """The advice to name a path below the folder, the first of several as an example."""
    full = escaped(os.path.join(folder.path, relative[0]))
    if len(relative) == 1:
        return f"name {full}"
    return f"name one of them, such as {full}"


def parts_listed(relative: Sequence[str]) -> str:
    """Relative paths for a message."""
    return listed(relative, PATH)


def refusal(found: str, advice: str) -> CheckpointError:
    """The refusal of a folder that is something else than one model."""
    return CheckpointError("expected a model in the folder", f"found {found}", advice)
