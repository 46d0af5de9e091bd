"""JSON that strangers wrote: bounded depth, no constants outside the standard, duplicate keys kept visible.

An object becomes a tuple of (key, value) pairs and an array a list, so that a reader sees every key, twice if it
stands twice. Sizes are bounded by the caller, who reads the bytes.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

from ..errors import CheckpointError
from . import limits

_STRING = re.compile(rb'"[^"]*"')
_NOT_BRACKETS = bytes(c for c in range(256) if c not in b"[]{}")
_ALIKE = bytes.maketrans(b"{}", b"[]")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def parse(raw: bytes, what: str, base: int = 0) -> object:
    """The value of UTF-8 JSON; `base` is the position of `raw` in its file, for messages. Raises CheckpointError.

    >>> parse(b'{"a": [1, 2], "a": {}}', "an example")
    (('a', [1, 2]), ('a', ()))
    """
    if raw.startswith(b"\xef\xbb\xbf"):
        raise _refused(what, "a byte order mark", base)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise _refused(what, "bytes that are not UTF-8", base + fault.start) from None
    if deep(raw):
        raise CheckpointError(
            f"{what}: expected JSON of at most {limits.DEPTH} levels",
            "found deeper nesting, or brackets that never close",
            "the file is damaged or hostile: get it again from its source",
        )
    try:
        value = json.loads(text, object_pairs_hook=tuple, parse_constant=_constant)
        if _SURROGATE.search(raw):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as fault:
        raise _refused(what, fault.msg, base + len(text[: fault.pos].encode("utf-8"))) from None
    except UnicodeEncodeError:
        raise _refused(what, "a lone surrogate escape", base + _surrogate_at(raw)) from None
    except ValueError as fault:
        raise _refused(what, str(fault).split(";")[0], base) from None
    return value


def deep(raw: bytes) -> bool:
    """Whether brackets nest beyond the limit; counted before parsing, because parsers recurse."""
    outside = _STRING.sub(b"", raw.replace(b"\\\\", b"").replace(b'\\"', b""))
    brackets = outside.translate(_ALIKE, _NOT_BRACKETS)
    for _ in range(limits.DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return b"[]" in brackets or len(brackets) > limits.DEPTH


def _constant(name: str) -> NoReturn:
    raise ValueError(f"the constant {name}, which JSON does not have")


def _surrogate_at(raw: bytes) -> int:
    found = _SURROGATE.search(raw)
    return found.start() if found else 0


def _refused(what: str, found: str, position: int) -> CheckpointError:
    return CheckpointError(
        f"{what}: expected valid JSON",
        f"found {found} at byte {position}",
        "the file is damaged: get it again from its source",
    )
