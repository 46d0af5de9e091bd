"""Paths that stay inside a folder: names in an index and symbolic links are of unknown origin."""

from __future__ import annotations

import os
import re

from ...errors import CheckpointError
from ...escape import escaped, quoted
from ...order import natural
from .. import files, limits

FORGED = "the index is damaged or made to mislead: get it again from its source"


def listing(path: str) -> list[str]:
    """The names in a folder, in natural order; raises CheckpointError."""
    try:
        names = os.listdir(path)
    except OSError as fault:
        raise files.unopened(path, fault) from None
    return sorted(names, key=natural)


def within(folder: str, name: str, follow: bool) -> None:
    """Refuse a file whose symbolic links leave the folder, except into its own Hub cache."""
    if follow:
        return
    # both resolved: the folder may be reached through a link of its own
    target = os.path.realpath(os.path.join(folder, name))
    home = os.path.realpath(folder)
    for root in (home, *_blobs(home)):
        if os.path.commonpath((root, target)) == root:
            return
    raise CheckpointError(
        "expected files inside the folder",
        f"{escaped(name)} leads to {escaped(target)}",
        "--follow-symlinks allows it",
    )


def _blobs(home: str) -> list[str]:
    """The blob store of the Hub cache that a snapshot folder belongs to."""
    cache, separator, _ = home.rpartition(os.sep + "snapshots" + os.sep)
    if separator:
        return [os.path.join(cache, "blobs")]
    return []


def safe_name(shard: str) -> None:
    """Refuse a name that is not a plain relative path below the index's folder.

    >>> safe_name("model-00001-of-00002.safetensors")
    """
    # a backslash separates folders on Windows, where the checkpoint may be opened too
    parts = re.split(r"[/\\]", shard)
    is_bad = (
        not 0 < len(shard) <= limits.NAME
        or "\0" in shard
        or "\\" in shard
        or "://" in shard
        or re.match(r"[A-Za-z]:", shard)  # a drive of Windows
        or any(part in ("", ".", "..") for part in parts)
    )
    if is_bad:
        raise CheckpointError(
            "expected shard names below the index's folder", f"found {quoted(shard)}", FORGED
        )
