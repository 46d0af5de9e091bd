"""One axis of two matrices: its candidate maps, and the positions that a sample needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .index_maps import IndexMap, candidate_maps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Axis:
    """Lines of A and of B that candidate maps pair.

    `sampled` are ascending lines of the shorter side; both sides are sampled at all lines that any
    map pairs with them.
    """

    size_a: int
    size_b: int
    maps: tuple[IndexMap, ...]
    sampled: Positions

    def of_a(self, by: IndexMap) -> Positions:
        """The lines of A that a map pairs."""
        return by.lines[self.sampled] if self.size_a > self.size_b else self.sampled

    def of_b(self, by: IndexMap) -> Positions:
        """The lines of B that the same map pairs with them."""
        return by.lines[self.sampled] if self.size_b > self.size_a else self.sampled

    @cached_property
    def needed_a(self) -> Positions:
        """The lines of A that any map needs, ascending."""
        return _needed([self.of_a(by) for by in self.maps])

    @cached_property
    def needed_b(self) -> Positions:
        """The lines of B that any map needs, ascending."""
        return _needed([self.of_b(by) for by in self.maps])

    def in_a(self, by: IndexMap) -> Positions:
        """Where the sample of A has the lines that a map pairs."""
        return np.searchsorted(self.needed_a, self.of_a(by))

    def in_b(self, by: IndexMap) -> Positions:
        """Where the sample of B has them."""
        return np.searchsorted(self.needed_b, self.of_b(by))

    def every_a(self, by: IndexMap) -> Positions | None:
        """All lines of A that a map pairs, in the order of B's; None where A is not the longer."""
        return by.lines if self.size_a > self.size_b else None

    def every_b(self, by: IndexMap) -> Positions | None:
        """All lines of B that a map pairs, in the order of A's; None where B is not the longer."""
        return by.lines if self.size_b > self.size_a else None

    def named(self, name: str) -> IndexMap:
        """The map of this name."""
        (found,) = [by for by in self.maps if by.name == name]
        return found


def axis_of(size_a: int, size_b: int, most: int, block: int = 1) -> Axis:
    """The candidate maps of the shorter side, and at most `most` evenly spaced lines of it."""
    short, long = sorted((size_a, size_b))
    return Axis(size_a, size_b, candidate_maps(short, long, block), spaced(short, most))


def spaced(size: int, most: int) -> Positions:
    """At most `most` evenly spaced lines of an axis.

    >>> spaced(10, 3).tolist(), spaced(2, 3).tolist()
    ([0, 3, 6], [0, 1])
    """
    count = min(size, most)
    return np.arange(count, dtype=np.int64) * size // max(1, count)


def _needed(lines: list[Positions]) -> Positions:
    if not lines:
        return np.zeros(0, dtype=np.int64)
    return np.unique(np.concatenate(lines))
