"""The header of a safetensors file as bytes: positions of its keys, and how a file is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from ...errors import CheckpointError

DAMAGED = "the file is damaged or made to mislead: get it again from its source"
_BLANKS = 64  # bytes after a key in which its colon is searched
_JSON_TYPES = {
    tuple: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
}


@dataclass(frozen=True)
class Header:
    """The header's bytes as they lie in the file, and where the payload starts and ends."""

    path: str
    raw: bytes
    size: int  # bytes of the file

    @property
    def start(self) -> int:
        """Position of the first byte of payload."""
        return 8 + len(self.raw)

    def position(self, name: str) -> int:
        """Position in the file of the first occurrence of a key; 8 where its escapes differ."""
        return 8 + min(self._positions(name), default=0)

    def last_position(self, name: str) -> int:
        """Position in the file of the last occurrence of a key; 8 where its escapes differ."""
        return 8 + max(self._positions(name), default=0)

    def _positions(self, name: str) -> Iterator[int]:
        """Positions in the header of a key, written with and without escapes of non-ASCII text."""
        escaped = json.dumps(name).encode()
        plain = json.dumps(name, ensure_ascii=False).encode("utf-8", "surrogatepass")
        for word in {escaped, plain}:
            yield from self._occurrences(word)

    def _occurrences(self, word: bytes) -> Iterator[int]:
        """Positions of a word before a colon; without a pattern, since words have any length."""
        at = self.raw.find(word)
        while at >= 0:
            end = at + len(word)
            following = self.raw[end : end + _BLANKS].lstrip()
            if following.startswith(b":"):
                yield at
            at = self.raw.find(word, end)


def doubled(names: Iterable[str]) -> list[str]:
    """Every repetition of a name, in order.

    >>> doubled(["a", "b", "a"])
    ['a']
    """
    first: set[str] = set()
    repetitions = []
    for name in names:
        if name in first:
            repetitions.append(name)
        first.add(name)
    return repetitions


def type_name(value: object) -> str:
    """The JSON type of a value."""
    return _JSON_TYPES.get(type(value), "null")


def refuse(expected: str, found: str, advice: str) -> NoReturn:
    """Refuse the file."""
    raise CheckpointError(f"safetensors: {expected}", f"found {found}", advice)
