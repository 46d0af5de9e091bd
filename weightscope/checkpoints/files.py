"""Regular files only: opened without blocking, read at positions, recognised again.

Payloads are never mapped into memory: a file cut short under a mapping kills the process, here it is a message.
Descriptors stay open per process, so that a thousand reads of one file open it once; reads are safe from any thread.
"""

from __future__ import annotations

import os
import stat
from threading import Lock
from typing import TYPE_CHECKING

from ..errors import CheckpointError
from ..escape import escaped
from . import limits

if TYPE_CHECKING:
    from .checkpoint import Checkpoint

Identity = tuple[int, int, int]  # inode, size, mtime_ns

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
)
_open: dict[str, int] = {}
_lock = Lock()


def open_regular(path: str, follow: bool = True) -> int:
    """A descriptor of a regular file; `follow=False` refuses a symbolic link. Raises CheckpointError."""
    flags = (
        os.O_RDONLY
        | getattr(os, "O_NONBLOCK", 0)
        | getattr(os, "O_CLOEXEC", 0)
        | getattr(os, "O_BINARY", 0)
    )
    try:
        descriptor = os.open(path, flags if follow else flags | getattr(os, "O_NOFOLLOW", 0))
    except (OSError, ValueError) as fault:
        raise unopened(path, fault) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = next((name for test, name in _KINDS if test(mode)), "a special file")
        raise CheckpointError(
            "expected a regular file",
            f"{escaped(path)} is {kind}",
            "copy its content to a file first",
        )
    return descriptor


def unopened(path: str, fault: OSError | ValueError) -> CheckpointError:
    """The refusal that says why the system would not open a path."""
    name = escaped(path)
    if isinstance(fault, ValueError):
        return CheckpointError(
            "expected a path", f"{name} holds a NUL character", "check where the path comes from"
        )
    if isinstance(fault, FileNotFoundError):
        return CheckpointError(
            "expected an existing file", f"{name} does not exist", "check the spelling"
        )
    if isinstance(fault, PermissionError):
        return CheckpointError(
            "expected a readable file", f"{name}: permission denied", "check its owner and mode"
        )
    return CheckpointError(
        "expected a file that opens", f"{name}: {fault.strerror or fault}", "check the path"
    )


def identity(path: str) -> tuple[int, Identity]:
    """(size, (inode, size, mtime_ns)) of a regular file now; a descriptor of an earlier file there is dropped."""
    descriptor = open_regular(path)
    now = os.fstat(descriptor)
    with _lock:
        kept = _open.get(path)
        if kept is None or os.fstat(kept)[:3] != now[:3]:
            if kept is not None:
                os.close(kept)
                del _open[path]
            if len(_open) < limits.DESCRIPTORS:
                _open[path] = descriptor
                descriptor = -1
    if descriptor >= 0:
        os.close(descriptor)
    return now.st_size, (now.st_ino, now.st_size, now.st_mtime_ns)


def read_into(path: str, offset: int, view: memoryview) -> None:
    """Fill `view` from `offset` by positioned reads; a file that ends before it was changed. Raises CheckpointError."""
    descriptor, keep = _descriptor(path)
    try:
        done = 0
        while done < len(view):
            got = _read_some(descriptor, view[done:], offset + done)
            if got == 0:
                raise CheckpointError(
                    f"expected {len(view)} bytes at byte {offset} of {escaped(path)}",
                    f"found {done}",
                    "the file changed while being read: run again when nothing writes to it",
                )
            done += got
    except OSError as fault:
        raise unopened(path, fault) from None
    finally:
        if not keep:
            os.close(descriptor)


def _read_some(descriptor: int, view: memoryview, offset: int) -> int:
    """How many bytes one positioned read brought; straight into the buffer where the system can."""
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [view], offset)
    read = os.pread(descriptor, len(view), offset)
    view[: len(read)] = read
    return len(read)


def read_bytes(path: str, offset: int, length: int) -> bytes:
    """`length` bytes from `offset`, in a buffer of their own: for headers and small files."""
    buffer = bytearray(length)
    read_into(path, offset, memoryview(buffer))
    return bytes(buffer)


def advise(path: str, offset: int, length: int) -> None:
    """Tell the system that these bytes will be read soon, where it listens."""
    if hasattr(os, "posix_fadvise"):
        descriptor, keep = _descriptor(path)
        os.posix_fadvise(descriptor, offset, length, os.POSIX_FADV_WILLNEED)
        if not keep:
            os.close(descriptor)


def changed(checkpoint: Checkpoint) -> str | None:
    """What happened to the checkpoint's files since opening, as one sentence; None where nothing did."""
    for path, _, before in checkpoint.files:
        try:
            now = os.stat(path)
        except OSError:
            return f"{escaped(path)} vanished while it was measured"
        if now.st_ino != before[0]:
            return f"{escaped(path)} was replaced while it was measured"
        if now.st_size != before[1]:
            return f"{escaped(path)} changed its size from {before[1]} to {now.st_size} bytes while it was measured"
        if now.st_mtime_ns != before[2]:
            return f"{escaped(path)} was written to while it was measured"
    return None


def close_all() -> None:
    """Close every descriptor that is kept; the next read opens its file anew."""
    with _lock:
        while _open:
            os.close(_open.popitem()[1])


def _descriptor(path: str) -> tuple[int, bool]:
    """(descriptor, whether it stays open)."""
    with _lock:
        if path in _open:
            return _open[path], True
        descriptor = open_regular(path)
        if len(_open) < limits.DESCRIPTORS:
            _open[path] = descriptor
            return descriptor, True
        return descriptor, False
