"""Provenance: sources, options and versions of a report; the same in every run of one command."""

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
    """The keys of every report except `column_versions`, which needs its columns."""
    device_name, device_reason = None, "nothing was measured"
    if device:
        device_name = device.name
        # free memory comes after the semicolon and changes from run to run
        device_reason = device.why.partition(";")[0]
    return {
        # not from the installed metadata: another project's package has the name weightscope
        "version": __version__,
        "command": command,
        "sources": [_source(checkpoint) for checkpoint in opened],
        "options": storable(keywords),
        "device": device_name,
        "device_reason": device_reason,
        "libraries": {name: installed(name) for name in LIBRARIES},
    }


def _source(checkpoint: Checkpoint) -> dict[str, Any]:
    """A source with the files that were read."""
    files = [{"path": path, "size": size} for path, size, _ in checkpoint.files]
    return {"source": checkpoint.source, "files": files}


def storable(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The options that differ from their defaults, by name, as JSON can store them."""
    options = {}
    for name, value in sorted(keywords.items()):
        options[name] = str(value) if isinstance(value, bytes) else value
    return options


def column_versions(tables: Iterable[Sequence[Column]]) -> dict[str, int]:
    """The version of every column by name; of equal names in several tables the first counts.

    >>> main, extra = Column("std", "float", ""), Column("std", "int", "", version=3)
    >>> column_versions([[main], [extra, Column("z", "int", "")]])
    {'std': 1, 'z': 1}
    """
    versions: dict[str, int] = {}
    for columns in tables:
        for column in columns:
            versions.setdefault(column.name, column.version)
    return versions


@cache  # each call parses a file of metadata
def installed(name: str) -> str:
    """The installed version of a package, from its metadata: importing it would cost a second."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
