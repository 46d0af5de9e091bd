"""Temporary files that are being written: an interrupt that ends the process removes them."""

from __future__ import annotations

import os
from contextlib import suppress

FILES: set[os.PathLike[str]] = set()


def remove_unfinished() -> None:
    """Removes every file that is not complete."""
    for path in tuple(FILES):
        with suppress(OSError):
            os.unlink(path)
