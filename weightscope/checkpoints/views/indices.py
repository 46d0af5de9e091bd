"""Indices: chosen rows or columns in any order, repeats allowed, as a record that can be a key.

`Index` of geometry.py describes regular runs in five numbers; a permutation or evenly spaced
rows of a matrix that is no multiple need all of their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Indices:
    """Row or column numbers, (n,) int64, read-only; equal and hashed by their content."""

    values: NDArray[np.int64]

    @classmethod
    def of(cls, numbers: Iterable[int] | NDArray[Any]) -> Indices:
        """A copy of the numbers that nobody can change.

        >>> Indices.of([4, 0, 2]) == Indices.of((4, 0, 2))
        True
        """
        if not hasattr(numbers, "dtype"):
            numbers = list(numbers)
        values = np.array(numbers, dtype=np.int64).reshape(-1)
        values.setflags(write=False)
        return cls(values)

    @property
    def size(self) -> int:
        """How many are chosen, repeats counted."""
        return int(self.values.size)

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """The range (first, last) that covers them, half open; (0, 0) of none."""
        if not self.size:
            return 0, 0
        return int(self.values.min()), int(self.values.max()) + 1

    @cached_property
    def is_ordered(self) -> bool:
        """Whether they never decrease, or never increase."""
        steps = np.diff(self.values)
        return bool((steps >= 0).all() or (steps <= 0).all())

    @cached_property
    def digest(self) -> bytes:
        """128 bits of their content."""
        return blake2b(self.values.tobytes(), digest_size=16).digest()

    def __eq__(self, other: object) -> bool:
        """Whether the same numbers are chosen in the same order."""
        if not isinstance(other, Indices):
            return NotImplemented
        return self.digest == other.digest

    def __hash__(self) -> int:
        """Of the digest."""
        return hash(self.digest)


def runs(numbers: NDArray[np.int64], gap: int) -> Iterator[tuple[int, int]]:
    """Runs (first, last) that cover ascending numbers; a run reaches over `gap` others at most.

    >>> list(runs(np.array([0, 1, 4, 9]), 2))
    [(0, 5), (9, 10)]
    """
    if not numbers.size:
        return
    skipped = np.diff(numbers) - 1
    (breaks,) = np.nonzero(skipped > gap)
    firsts = [0, *(breaks + 1).tolist()]
    lasts = [*breaks.tolist(), numbers.size - 1]
    for first, last in zip(firsts, lasts, strict=True):
        yield int(numbers[first]), int(numbers[last]) + 1
