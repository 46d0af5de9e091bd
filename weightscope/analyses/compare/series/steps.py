"""The numbers of the steps of a series: those in the names of the sources, where they rise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePath

_NUMBER = re.compile(r"\d+")
LONGEST = 18  # digits: a whole number that every format of tables holds


def named_steps(sources: Sequence[str]) -> tuple[int, ...] | None:
    """The last number in each source's name; None where one has none, or they do not rise.

    The name is the last part of a path without its suffix; where these do not rise, the whole path.

    >>> named_steps(["run/step400.pt", "run/step1600.pt"])
    (400, 1600)
    >>> named_steps(["step-8/model.safetensors", "step-16/model.safetensors"])
    (8, 16)
    >>> named_steps(["old.pt", "new.pt"])
    """
    for spelled in (_stem, str):
        numbers = [_last_number(spelled(source)) for source in sources]
        rising = [number for number in numbers if number is not None]
        if len(rising) == len(numbers) and all(a < b for a, b in pairwise(rising)):
            return tuple(rising)
    return None


def _stem(source: str) -> str:
    return PurePath(source).stem


def _last_number(text: str) -> int | None:
    """The last run of digits; None without one, and where it is too long for a number."""
    found = _NUMBER.findall(text)
    if not found or len(found[-1]) > LONGEST:
        return None
    return int(found[-1])
