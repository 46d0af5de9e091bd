"""Sizes as text: a number and a unit; k, M, G are powers of two, kB, MB, GB of ten."""

from __future__ import annotations

from string import ascii_letters

from .errors import UsageError

UNITS = {  # bytes; in lower case
    "": 1,
    "b": 1,
    "k": 2**10,
    "kib": 2**10,
    "m": 2**20,
    "mib": 2**20,
    "g": 2**30,
    "gib": 2**30,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
}


def size_of(text: str | int) -> int:
    """Bytes of a size such as 512MiB; a number is bytes already. Raises UsageError.

    >>> size_of("4GiB"), size_of("1.5 MB"), size_of(100)
    (4294967296, 1500000, 100)
    """
    typed = str(text).strip()
    number = typed.rstrip(ascii_letters)
    unit = typed.removeprefix(number).lower()
    try:
        size = int(float(number) * UNITS[unit])
    except (ValueError, KeyError, OverflowError):
        size = 0
    if size <= 0:
        raise UsageError(
            "memory takes a size such as 512MiB or 4GiB",
            f"found {text!r}",
            "write a number and a unit",
        )
    return size
