"""The bytes of one file, read at positions or taken in order, never more than are present.

A length in a file is compared with the bytes that are present before any allocation.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import CheckpointError
from ..files import identity, read_bytes
from ..identity import Identity

CHUNK = 1 << 20  # bytes fetched at a time where the length of a stream is unknown
AGAIN = "copy or download the file again"


@dataclass(frozen=True)
class RawFile:
    """A regular file: path, size, and the identity by which a change is noticed."""

    path: str
    size: int
    identity: Identity

    def at(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`; CheckpointError where the file ends before."""
        present = max(0, min(self.size - offset, length))
        if present < length:
            raise CheckpointError(
                f"expected {length} bytes at byte {offset}",
                f"truncated: {present} of {length} bytes present",
                AGAIN,
            )
        if not length:
            return b""
        return read_bytes(self.path, offset, length)


def opened(path: str) -> RawFile:
    """A regular file as it is now; a folder, pipe or device is refused without reading from it."""
    return RawFile(path, *identity(path))


class Stream:
    """The bytes start..stop of a file in order; `position` counts from the start of the file."""

    def __init__(self, raw: RawFile, start: int, stop: int) -> None:
        self._raw = raw
        self._stop = min(stop, raw.size)
        self._buffer = b""
        self._base = start  # position of the buffer in the file
        self._at = 0  # position in the buffer

    @property
    def position(self) -> int:
        """Byte of the file that is taken next."""
        return self._base + self._at

    def take(self, length: int) -> bytes:
        """The next `length` bytes; CheckpointError where the stream has fewer."""
        end = self._at + length
        if end > len(self._buffer):
            self._refill(length)
            end = length  # the buffer now begins at the position
        taken = self._buffer[self._at : end]
        self._at = end
        return taken

    def line(self, limit: int = 1024) -> bytes:
        """The bytes up to the next line feed, which is dropped."""
        text = bytearray()
        byte = self.take(1)
        while byte != b"\n":
            text += byte
            if len(text) > limit:
                raise CheckpointError(
                    f"expected a line of at most {limit} bytes",
                    f"found a longer one at byte {self.position}",
                    "the file is damaged or forged",
                )
            byte = self.take(1)
        return bytes(text)

    def _refill(self, length: int) -> None:
        at = self.position
        present = max(self._stop - at, 0)
        if length > present:
            raise CheckpointError(
                f"expected {length} bytes at byte {at}",
                f"truncated: {present} of {length} bytes present",
                AGAIN,
            )
        self._buffer = self._raw.at(at, min(present, max(length, CHUNK)))
        self._base = at
        self._at = 0
