"""Sizes as people type them: a number and a unit, powers of two unless they say otherwise."""

from __future__ import annotations

from .errors import UsageError

TWOS = {unit: 2**power for power, units in ((0, ("", "b")), (10, ("k", "kib")), (20, ("m", "mib")), (30, ("g", "gib")))
        for unit in units}  # fmt: skip
UNITS = TWOS | {"kb": 10**3, "mb": 10**6, "gb": 10**9}


def size_of(text: str | int) -> int:
    """Bytes of a size such as 512MiB; a number is bytes already. Raises UsageError.

    >>> size_of("4GiB"), size_of("1.5 MB"), size_of(100)
    (4294967296, 1500000, 100)
    """
    typed = str(text).strip()
    number = typed.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    try:
        size = int(float(number) * UNITS[typed[len(number) :].lower()])
    except (ValueError, KeyError, OverflowError):
        size = 0
    if size <= 0:
        raise UsageError(
            "memory takes a size such as 512MiB or 4GiB",
            f"found {text!r}",
            "write a number and a unit",
        )
    return size
