"""The identity of a file: what a write changes, so that a change during the run is noticed."""

from __future__ import annotations

import os
from typing import NamedTuple


class Identity(NamedTuple):
    """What a write to a file changes; `attributes` explain a ctime that no write changed."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    attributes: tuple[int, ...]  # mode, links, owner, group

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        """The identity in a status."""
        attributes = (status.st_mode, status.st_nlink, status.st_uid, status.st_gid)
        return cls(
            status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, attributes
        )
