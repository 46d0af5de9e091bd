"""Provenance: what a report was made from and by; nothing in it changes from run to run of the same command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .checkpoints import Checkpoint
from .engine import Device
from .version import __version__

LIBRARIES = ("numpy", "scipy", "torch", "pandas", "pyarrow")


def provenance(
    command: str, opened: Sequence[Checkpoint], keywords: Mapping[str, Any], device: Device | None
) -> dict[str, Any]:
    """The keys that every report carries."""
    sources = [
        {"source": c.source, "files": [{"path": path, "size": size} for path, size, _ in c.files]} for c in opened
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


def installed(name: str) -> str:
    """The installed version of a package, from its metadata: importing it would cost a second."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
