"""Provenance: what a report was made from and by; nothing in it changes from run to run of the same command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .checkpoints import Checkpoint
from .columns import Column
from .engine import Device
from .version import __version__

LIBRARIES = ("numpy", "scipy", "torch", "pandas", "pyarrow")


def provenance(
    command: str, opened: Sequence[Checkpoint], keywords: Mapping[str, Any], device: Device | None
) -> dict[str, Any]:
    """The keys that every report carries, but for `column_versions`, which needs its columns."""
    sources = [
        {"source": c.source, "files": [{"path": path, "size": size} for path, size, _ in c.files]}
        for c in opened
    ]
    return {
        "version": __version__,  # not by name from the metadata: a package of another project has this name
        "command": command,
        "sources": sources,
        "options": {k: str(v) if isinstance(v, bytes) else v for k, v in sorted(keywords.items())},
        "device": device.name if device else None,
        # what follows is free memory: it changes from run to run
        "device_reason": device.why.partition(";")[0] if device else "nothing was measured",
        "libraries": {name: installed(name) for name in LIBRARIES},
    }


def column_versions(tables: Iterable[Sequence[Column]]) -> dict[str, int]:
    """The version of every column by its name, in the order of the tables; a name counts where it comes first.

    >>> column_versions([[Column("std", "float", "")], [Column("std", "int", "", version=3), Column("z", "int", "")]])
    {'std': 1, 'z': 1}
    """
    versions: dict[str, int] = {}
    for columns in tables:
        for column in columns:
            versions.setdefault(column.name, column.version)
    return versions


@cache  # a file of metadata is parsed for each
def installed(name: str) -> str:
    """The installed version of a package, from its metadata: importing it would cost a second."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
