"""JSON of unknown origin: bounded depth, no constants outside the standard, duplicate keys kept.

An object becomes a tuple of (key, value) pairs and an array a list, so that a doubled key is seen
twice. Bytes are bounded by the caller, which reads them; memory is bounded here, by the signs
outside of strings.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

from ..errors import CheckpointError
from . import limits

_CHUNK = 1 << 16
_STRING = re.compile(rb'"[^"]*"')
# bytes of memory that each sign stands for in CPython: containers, pairs, items, texts
COSTS = {b"{": 64, b"[": 64, b":": 80, b",": 40, b'""': 60}
_NOT_BRACKETS = bytes(c for c in range(256) if c not in b"[]{}")
_ALIKE = bytes.maketrans(b"{}", b"[]")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def parse(raw: bytes, what: str, base: int = 0, tensor: bytes = b"") -> object:
    """The value of UTF-8 JSON; `base` is the position of `raw` in its file. Raises CheckpointError.

    `tensor` are bytes that each tensor has once: the limit of memory grows with the tensors.

    >>> parse(b'{"a": [1, 2], "a": {}}', "an example")
    (('a', [1, 2]), ('a', ()))
    """
    if raw.startswith(b"\xef\xbb\xbf"):
        raise _refused(what, "a byte order mark", base)
    structure = _structure(raw)
    _check_memory(raw, structure, what, tensor)
    is_deep = _nests(structure)
    del structure
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise _refused(what, "bytes that are not UTF-8", base + fault.start) from None
    if is_deep:
        raise CheckpointError(
            f"{what}: expected JSON of at most {limits.DEPTH} levels",
            "found deeper nesting, or brackets that never close",
            "the file is damaged or hostile: get it again from its source",
        )
    try:
        value = json.loads(text, object_pairs_hook=tuple, parse_constant=_constant)
        if _SURROGATE.search(raw):  # Python decodes escapes of lone surrogates, JSON has none
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as fault:
        before = text[: fault.pos].encode("utf-8")  # the fault counts characters, not bytes
        raise _refused(what, fault.msg, base + len(before)) from None
    except UnicodeEncodeError:
        raise _refused(what, "a lone surrogate escape", base + _surrogate_at(raw)) from None
    except ValueError as fault:
        reason, *_ = str(fault).split(";")
        raise _refused(what, reason, base) from None
    return value


def deep(raw: bytes) -> bool:
    """Whether brackets nest beyond the limit; counted before parsing, because parsers recurse."""
    return _nests(_structure(raw))


def _structure(raw: bytes) -> bytes:
    """The bytes outside of strings, which are empty pairs of quotes."""
    without_escapes = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    parts = []
    opened = b""  # the quote of a string that began in an earlier chunk
    for start in range(0, len(without_escapes), _CHUNK):  # a substitution takes 50 bytes a string
        chunk = opened + without_escapes[start : start + _CHUNK]
        part = _STRING.sub(b'""', chunk)
        opened = b""
        if part.count(b'"') % 2:
            opened = b'"'
            part = part[: part.rfind(b'"')]
        parts.append(part)
    return b"".join(parts)


def _check_memory(raw: bytes, structure: bytes, what: str, tensor: bytes) -> None:
    """Refuses a text whose values take more memory than the limit: small texts can claim much."""
    needed = sum(COSTS[sign] * structure.count(sign) for sign in COSTS)
    allowed = limits.PARSED + 2 * len(raw)  # and twice for the bytes and the text
    if tensor and needed > allowed:
        tensors = min(raw.count(tensor), limits.TENSORS)
        allowed += limits.PARSED_TENSOR * tensors
    if needed > allowed:
        raise CheckpointError(
            f"{what}: expected values that take at most {allowed >> 20} MiB of memory",
            f"found about {needed >> 20} MiB in {len(raw)} bytes",
            "the file is damaged or hostile: get it again from its source",
        )


def _nests(structure: bytes) -> bool:
    """Whether brackets nest beyond the limit."""
    brackets = structure.translate(_ALIKE, _NOT_BRACKETS)
    # each pass removes the innermost level
    for _ in range(limits.DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return b"[]" in brackets or len(brackets) > limits.DEPTH


def _constant(name: str) -> NoReturn:
    raise ValueError(f"the constant {name}, which JSON does not have")


def _surrogate_at(raw: bytes) -> int:
    match = _SURROGATE.search(raw)
    return match.start() if match else 0


def _refused(what: str, found: str, position: int) -> CheckpointError:
    return CheckpointError(
        f"{what}: expected valid JSON",
        f"found {found} at byte {position}",
        "the file is damaged: get it again from its source",
    )
