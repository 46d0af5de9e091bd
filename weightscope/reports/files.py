"""Writes whole files or none: to a temporary name beside the target, then a rename.

Problems that are known before the work starts (a missing folder or permission, an unknown suffix)
are errors of usage; later ones (a full disk) are not caused by the caller and have another code.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from .. import unfinished
from ..errors import CheckpointError, UsageError


def check_writable(path: str | Path) -> None:
    """Refuses a target that cannot be written, as a folder or a file without permission.

    Permissions do not decide alone (`/proc` refuses even root), so a file is created beside the
    target and removed.
    """
    target = _target(path)
    try:
        if not _special(target):
            trial = _beside(target)
            trial.open("xb").close()
            trial.unlink()
    except OSError as error:
        raise UsageError(
            f"expected to write '{path}'",
            f"found that '{target.parent}' accepts no such file: {error.strerror}",
            "choose another name or folder, or change its permissions",
        ) from None


def write_atomically(path: str | Path, writer: Callable[[BinaryIO], None]) -> None:
    """Creates a file that `writer` fills; it appears under its name only when it is complete.

    A pipe or a device (`/dev/stdout`) cannot be replaced and is written directly.
    """
    target = _target(path)
    try:
        if _special(target):
            with target.open("wb") as stream:
                writer(stream)
        else:
            _replace(target, writer)
    except BrokenPipeError:  # the reader closed the pipe: no failure of this program
        raise
    except OSError as error:
        raise CheckpointError(
            f"expected to write '{path}'",
            f"found: {error.strerror or error}",
            "free some space or choose another folder; no partial file remains",
        ) from error


def _target(path: str | Path) -> Path:
    """The file that a path leads to, links followed; refuses folders and missing folders."""
    target = Path(os.path.realpath(path))
    # /dev/stdout leads to a pipe, which has no name of its own
    if os.path.exists(path) and not os.path.exists(target):
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
            "choose another folder or change its permissions",
        )
    return target


def _special(target: Path) -> bool:
    """Whether it is a pipe, a device or a folder."""
    try:
        return not stat.S_ISREG(target.stat().st_mode)
    except FileNotFoundError:
        return False


def _beside(target: Path) -> Path:
    """A temporary name in the same folder: a rename across file systems would copy."""
    unique = f"{os.getpid()}-{secrets.token_hex(4)}"
    return target.parent / f".weightscope-{unique}.tmp"


def _replace(target: Path, writer: Callable[[BinaryIO], None]) -> None:
    mode = None
    if target.exists():  # the new file has the permissions of the old one
        mode = stat.S_IMODE(target.stat().st_mode)
    beside = _beside(target)
    unfinished.FILES.add(beside)
    try:
        with beside.open("xb") as stream:
            writer(stream)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            beside.chmod(mode)
        beside.replace(target)
    except BaseException:  # also on Ctrl-C
        with suppress(OSError):
            beside.unlink()
        raise
    finally:
        unfinished.FILES.discard(beside)
