"""Files that are whole or not there: a temporary name beside the target, then a rename.

What can be known before the work starts (no such folder, no permission, an unknown suffix) is an error of usage;
what happens later (a full disk) is not the caller's fault and has another exit code.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import Untrusted, Usage


def check_writable(path: str | Path) -> None:
    """Refuses a target that cannot be written: no folder, a folder itself, no permission."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise Usage("expected a file to write", f"found the folder '{path}'", "name a file in it")
    if not target.parent.is_dir():
        raise Usage(f"expected a folder for '{path}'", f"found none at '{target.parent}'", "create it first")
    ground = target if _special(target) else target.parent
    if not os.access(ground, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise Usage(f"expected to write '{path}'", "found no permission", "choose another folder or change its rights")


def write_atomically(path: str | Path, writer: Callable[[BinaryIO], None]) -> None:
    """Lets `writer` fill a file that appears under its name only when it is whole.

    A pipe or a device (`/dev/stdout`) cannot be replaced and is written straight.
    """
    check_writable(path)
    target = Path(os.path.realpath(path))
    try:
        if _special(target):
            with target.open("wb") as stream:
                writer(stream)
        else:
            _replace(target, writer)
    except BrokenPipeError:                     # the reader went away: not our failure
        raise
    except OSError as error:
        raise Untrusted(f"expected to write '{path}'", f"found: {error.strerror or error}",
                        "free some space or choose another folder; nothing was left half-written") from error


def _special(target: Path) -> bool:
    return target.exists() and not stat.S_ISREG(target.stat().st_mode)


def _replace(target: Path, writer: Callable[[BinaryIO], None]) -> None:
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    beside = target.parent / f".weightscope-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        with beside.open("xb") as stream:
            writer(stream)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            beside.chmod(mode)
        beside.replace(target)
    except BaseException:                       # Ctrl-C too leaves nothing behind
        with suppress(OSError):
            beside.unlink()
        raise
