"""A regular file by positioned reads that never return less than was asked for.

Everything that parses hostile bytes reads through here, so that a length taken from a file is compared with the
bytes that are there before anything is allocated.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ...errors import Untrusted

CHUNK = 1 << 20                                 # bytes fetched at a time while a stream of unknown length is parsed


@dataclass(frozen=True)
class RawFile:
    """An open file: path, descriptor, size, and the identity (ino, size, mtime_ns) it had at opening."""

    path: str
    handle: int
    size: int
    identity: tuple[int, int, int]

    def at(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`; Untrusted where the file ends before."""
        if min(offset, length) < 0 or offset + length > self.size:
            raise Untrusted(f"expected {length} bytes at byte {offset}",
                            f"truncated: {max(0, self.size - max(offset, 0))} of {length} bytes present",
                            "copy or download the file again")
        parts, end = [], offset + length
        while offset < end and (part := os.pread(self.handle, min(end - offset, 1 << 30), offset)):
            parts.append(part)
            offset += len(part)
        if offset < end:
            raise Untrusted(f"expected the {self.size} bytes the file had at opening",
                            f"it ended at byte {offset}", "run again when nothing writes to the file")
        return b"".join(parts)


@contextmanager
def opened(path: str) -> Iterator[RawFile]:
    """Open a regular file; a folder, pipe or device is refused without reading from it."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as fault:
        raise Untrusted("expected a readable file", getattr(fault, "strerror", None) or str(fault),
                        "check the path and its permissions") from fault
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise Untrusted("expected a regular file", "found a folder, pipe or device", "name the checkpoint file")
        yield RawFile(path, handle, facts.st_size, (facts.st_ino, facts.st_size, facts.st_mtime_ns))
    finally:
        os.close(handle)


class Stream:
    """The bytes start..stop of a file, taken in order; `position` is absolute."""

    def __init__(self, raw: RawFile, start: int, stop: int) -> None:
        self._raw, self._stop = raw, min(stop, raw.size)
        self._buffer, self._base, self._at = b"", start, 0

    @property
    def position(self) -> int:
        """Byte of the file that is taken next."""
        return self._base + self._at

    def take(self, length: int) -> bytes:
        """The next `length` bytes; Untrusted where the stream has fewer."""
        end = self._at + length
        if end > len(self._buffer):
            self._refill(length)
            end = length
        taken = self._buffer[self._at:end]
        self._at = end
        return taken

    def line(self, limit: int = 1024) -> bytes:
        """The bytes up to the next line feed, which is dropped."""
        out = bytearray()
        while (byte := self.take(1)) != b"\n":
            out += byte
            if len(out) > limit:
                raise Untrusted(f"expected a line of at most {limit} bytes", f"found a longer one at byte "
                                f"{self.position}", "the file is damaged or forged")
        return bytes(out)

    def _refill(self, length: int) -> None:
        left = self._stop - self.position
        if length > left:
            raise Untrusted(f"expected {length} bytes at byte {self.position}",
                            f"truncated: {max(left, 0)} of {length} bytes present", "copy or download the file again")
        self._base = self.position
        self._buffer, self._at = self._raw.at(self._base, min(left, max(length, CHUNK))), 0
