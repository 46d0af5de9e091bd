"""Regular files only: opened without blocking, read at positions, checked for changes.

Payloads are never mapped into memory: a file that is truncated under a mapping kills the process,
here it is an error message. Descriptors stay open per process, so that a thousand reads of one file
open it once; reads are safe from any thread.
"""

from __future__ import annotations

import os
import stat
from threading import Lock
from typing import TYPE_CHECKING

from ..errors import CheckpointError
from ..escape import escaped
from . import limits
from .identity import Identity

try:
    import resource
except ImportError:  # not on every system
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from .checkpoint import Checkpoint

# a named pipe would block without O_NONBLOCK
_FLAGS = ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY")  # those that the system has
_TYPES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
)
_open: dict[str, int] = {}
_lock = Lock()


def open_regular(path: str, follow: bool = True) -> int:
    """A descriptor of a regular file, with `follow` also by a link; raises CheckpointError."""
    flags = os.O_RDONLY
    for name in _FLAGS if follow else (*_FLAGS, "O_NOFOLLOW"):
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as fault:
        raise unopened(path, fault) from None
    # the descriptor, not the path, is tested: the path may be exchanged in between
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise CheckpointError(
            "expected a regular file",
            f"{escaped(path)} is {_file_type(mode)}",
            "copy its content to a file first",
        )
    return descriptor


def _file_type(mode: int) -> str:
    for is_type, name in _TYPES:
        if is_type(mode):
            return name
    return "a special file"


def unopened(path: str, fault: OSError | ValueError) -> CheckpointError:
    """The refusal of a path that the system does not open, with its reason."""
    name = escaped(path)
    if isinstance(fault, ValueError):
        return CheckpointError(
            "expected a path", f"{name} holds a NUL character", "check where the path comes from"
        )
    if isinstance(fault, FileNotFoundError) and os.path.islink(path):
        target = escaped(os.readlink(path))
        return CheckpointError(
            "expected an existing file",
            f"{name} does not exist: it links to {target}",
            "the download is not complete, or the target was moved: download the file again",
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
    """(size, identity) of a regular file now.

    The descriptor of an earlier file of that path is closed.
    """
    # opened anew: a descriptor that is open already may belong to a file that was replaced
    descriptor = open_regular(path)
    now = os.fstat(descriptor)
    with _lock:
        earlier = _open.get(path)
        if earlier is None or os.fstat(earlier)[:3] != now[:3]:  # mode, inode, device
            if earlier is not None:
                os.close(earlier)
                del _open[path]
            if len(_open) < _kept():
                _open[path] = descriptor
                descriptor = -1
    if descriptor >= 0:
        os.close(descriptor)
    return now.st_size, Identity.of(now)


def read_into(path: str, offset: int, view: memoryview) -> None:
    """Fill `view` from `offset` by positioned reads; raises CheckpointError where the file ends."""
    descriptor, stays_open = _descriptor(path)
    try:
        done = 0
        while done < len(view):
            count = _read_some(descriptor, view[done:], offset + done)
            if count == 0:
                raise CheckpointError(
                    f"expected {len(view)} bytes at byte {offset} of {escaped(path)}",
                    f"found {done}",
                    "the file changed while being read: run again when nothing writes to it",
                )
            done += count
    except OSError as fault:
        raise unopened(path, fault) from None
    finally:
        if not stays_open:
            os.close(descriptor)


def _read_some(descriptor: int, view: memoryview, offset: int) -> int:
    """The number of bytes of one positioned read; without a copy where the system has preadv."""
    if hasattr(os, "preadv"):  # not on every system
        return os.preadv(descriptor, [view], offset)
    content = os.pread(descriptor, len(view), offset)
    view[: len(content)] = content
    return len(content)


def read_bytes(path: str, offset: int, length: int) -> bytes:
    """`length` bytes from `offset`, in a buffer of their own: for headers and small files."""
    buffer = bytearray(length)
    read_into(path, offset, memoryview(buffer))
    return bytes(buffer)


def advise(path: str, offset: int, length: int) -> None:
    """Request the system to read these bytes ahead, where it supports that."""
    if hasattr(os, "posix_fadvise"):
        descriptor, stays_open = _descriptor(path)
        os.posix_fadvise(descriptor, offset, length, os.POSIX_FADV_WILLNEED)
        if not stays_open:
            os.close(descriptor)


def changed(checkpoint: Checkpoint) -> str | None:
    """How a file of the checkpoint changed since opening, as one sentence; None for no change."""
    for path, _, before in checkpoint.files:
        change = _change(path, before)
        if change:
            return f"{escaped(path)} {change} while it was measured"
    return None


def _change(path: str, before: Identity) -> str:
    try:
        now = Identity.of(os.stat(path))
    except OSError:
        return "vanished"
    if now.inode != before.inode:
        return "was replaced"
    if now.size != before.size:
        return f"changed its size from {before.size} to {now.size} bytes"
    if now.mtime_ns != before.mtime_ns:
        return "was written to"
    # programs that copy times set back mtime; a new link, mode or owner changes ctime alone
    if now.ctime_ns != before.ctime_ns and now.attributes == before.attributes:
        return "was written to, and has its old time of modification again"
    return ""


def close_all() -> None:
    """Close every open descriptor; the next read opens its file anew."""
    with _lock:
        while _open:
            _, descriptor = _open.popitem()
            os.close(descriptor)


def _kept() -> int:
    """How many files may stay open: a quarter of what the system allows the process.

    The rest is for libraries, whose imports open files too.
    """
    if resource is None:
        return limits.DESCRIPTORS
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return limits.DESCRIPTORS
    return min(limits.DESCRIPTORS, allowed // 4)


def _descriptor(path: str) -> tuple[int, bool]:
    """(descriptor, whether it stays open)."""
    with _lock:
        if path in _open:
            return _open[path], True
        descriptor = open_regular(path)
        if len(_open) < _kept():
            _open[path] = descriptor
            return descriptor, True
        return descriptor, False
