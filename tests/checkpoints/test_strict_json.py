"""JSON of strangers: what is read, and where what is refused stands."""

from __future__ import annotations

import pytest

from weightscope.checkpoints.strict_json import deep, parse
from weightscope.errors import CheckpointError


def test_objects_are_pairs() -> None:
    """Every key stays visible, in order, also twice; the depth limit itself is allowed."""
    assert parse(b' {"b": [1, {"a": null}], "b": 2.5} ', "x") == (
        ("b", [1, (("a", None),)]),
        ("b", 2.5),
    )
    assert parse(b"[" * 64 + b"]" * 64, "x") is not None


REFUSED = {
    "mark": (
        b"\xef\xbb\xbf{}",
        r"x: expected valid JSON; found a byte order mark at byte 100; the file is damaged",
    ),
    "not UTF-8": (b'{"a": "\xff"}', r"found bytes that are not UTF-8 at byte 107"),
    "syntax": (
        b'{"a": 1,}',
        r"found Expecting property name enclosed in double quotes at byte 108",
    ),
    "cut": (b'{"a": ', r"found Expecting value at byte 106"),
    "empty": (b"", r"found Expecting value at byte 100"),
    "bytes, not letters": ('{"\u00fc\u4e2d": nope}'.encode(), r"found Expecting value at byte 110"),
    "two values": (b"{} {}", r"found Extra data at byte 103"),
    "control character": (b'"a\nb"', r"found Invalid control character at at byte 102"),
    "surrogate": (b'{"a": "\\ud800"}', r"found a lone surrogate escape at byte 107"),
    "constant": (b"[NaN]", r"found the constant NaN, which JSON does not have at byte 100"),
    "infinity": (b"[-Infinity]", r"found the constant -Infinity, which JSON does not have"),
    "digits": (
        b"9" * 5000,
        r"found Exceeds the limit \(4300 digits\) for integer string conversion.* at byte 100",
    ),
    "depth": (
        b"[" * 65 + b"]" * 65,
        r"x: expected JSON of at most 64 levels; found deeper nesting, or brackets",
    ),
    "open brackets": (b"{" * 65, r"expected JSON of at most 64 levels"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    """The message names the source, what is wrong, and the byte in the file."""
    raw, match = REFUSED[case]
    with pytest.raises(CheckpointError, match=match) as fault:
        parse(raw, "x", base=100)
    assert all((fault.value.expected, fault.value.found, fault.value.advice))


@pytest.mark.parametrize(
    "raw", [b'"' + b"[" * 999 + b'"', b'"\\"' + b"[" * 999 + b'"', b'{"[[": "]"}' * 100]
)
def test_brackets_in_strings_are_no_depth(raw: bytes) -> None:
    """Only what nests counts, behind escaped quotes too."""
    assert not deep(raw)


def test_pairs_of_surrogates_are_letters() -> None:
    """An escaped pair is one letter outside the basic plane."""
    assert parse(b'"\\ud83d\\ude00"', "x") == "\U0001f600"
