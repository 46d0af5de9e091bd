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

from ..errors import CheckpointError, UsageError


def check_writable(path: str | Path) -> None:
    """Refuses a target that cannot be written: no folder, a folder itself, no permission, a place that takes no file.

    Rights do not tell all (`/proc` refuses even root), so a file is made beside the target and removed.
    """
    target = _placed(path)
    try:
        if not _special(target):
            trial = _beside(target)
            trial.open("xb").close()
            trial.unlink()
    except OSError as error:
        raise UsageError(
            f"expected to write '{path}'",
            f"found that '{target.parent}' takes no such file: {error.strerror}",
            "choose another name or folder, or change its rights",
        ) from None


def write_atomically(path: str | Path, writer: Callable[[BinaryIO], None]) -> None:
    """Lets `writer` fill a file that appears under its name only when it is whole.

    A pipe or a device (`/dev/stdout`) cannot be replaced and is written straight.
    """
    target = _placed(path)
    try:
        if _special(target):
            with target.open("wb") as stream:
                writer(stream)
        else:
            _replace(target, writer)
    except BrokenPipeError:  # the reader went away: not our failure
        raise
    except OSError as error:
        raise CheckpointError(
            f"expected to write '{path}'",
            f"found: {error.strerror or error}",
            "free some space or choose another folder; nothing was left half-written",
        ) from error


def _placed(path: str | Path) -> Path:
    """Where the bytes go, links followed; refuses what can be seen without touching anything."""
    target = Path(os.path.realpath(path))
    if os.path.exists(path) and not os.path.exists(
        target
    ):  # /dev/stdout leads to a pipe, which has no name
        return Path(path)
    if os.path.isdir(target):
        raise UsageError(
            "expected a file to write", f"found the folder '{path}'", "name a file in it"
        )
    if not os.path.isdir(target.parent):
        raise UsageError(
            f"expected a folder for '{path}'", f"found none at '{target.parent}'", "create it first"
        )
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise UsageError(
            f"expected to write '{path}'",
            "found no permission",
            "choose another folder or change its rights",
        )
    return target


def _special(target: Path) -> bool:
    try:
        return not stat.S_ISREG(target.stat().st_mode)
    except FileNotFoundError:
        return False


def _beside(target: Path) -> Path:
    return target.parent / f".weightscope-{os.getpid()}-{secrets.token_hex(4)}.tmp"


def _replace(target: Path, writer: Callable[[BinaryIO], None]) -> None:
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    beside = _beside(target)
    try:
        with beside.open("xb") as stream:
            writer(stream)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            beside.chmod(mode)
        beside.replace(target)
    except BaseException:  # Ctrl-C too leaves nothing behind
        with suppress(OSError):
            beside.unlink()
        raise
