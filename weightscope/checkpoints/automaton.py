"""A finite automaton: states that take a character, states that take none, and all that are
reached at once.

An automaton is put together of parts, each with a first and a last state. It knows nothing of how
expressions are written (patterns.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

STATES = 2000  # of one automaton: repetitions are written out

Accepts = Callable[[str], bool]  # whether a step takes a character


class Unreadable(ValueError):
    """An expression that is no expression, or one that needs more than a finite automaton."""


@dataclass(frozen=True)
class Part:
    """A piece of an automaton: where it begins and where it ends."""

    first: int
    last: int


@dataclass
class Automaton:
    """`moves` take a character, `skips` none: they have a guard, "^" or "$", or none."""

    moves: dict[int, tuple[Accepts, int]] = field(default_factory=dict)
    skips: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    size: int = 0

    def state(self) -> int:
        """A new one."""
        if self.size >= STATES:
            raise Unreadable("too many states")
        self.size += 1
        return self.size - 1

    def skip(self, first: int, last: int, guard: str = "") -> None:
        """From one state to another without a character."""
        self.skips.setdefault(first, []).append((guard, last))

    def step(self, accepts: Accepts) -> Part:
        """One character."""
        part = Part(self.state(), self.state())
        self.moves[part.first] = accepts, part.last
        return part

    def anchor(self, guard: str) -> Part:
        """No character, at the start or the end of the text alone; anywhere without a guard."""
        part = Part(self.state(), self.state())
        self.skip(part.first, part.last, guard)
        return part

    def joined(self, parts: Iterable[Part]) -> Part:
        """One after the other."""
        whole = self.anchor("")
        last = whole.first
        for part in parts:
            self.skip(last, part.first)
            last = part.last
        return Part(whole.first, last)

    def either(self, parts: Iterable[Part]) -> Part:
        """One of them."""
        whole = Part(self.state(), self.state())
        for part in parts:
            self.skip(whole.first, part.first)
            self.skip(part.last, whole.last)
        return whole

    def loop(self, part: Part, least: int) -> Part:
        """Any number of times, at least `least` of 0 and 1."""
        whole = Part(self.state(), self.state())
        self.skip(whole.first, part.first)
        self.skip(part.last, whole.last)
        self.skip(part.last, part.first)
        if least == 0:
            self.skip(whole.first, whole.last)
        return whole

    def closure(self, states: Iterable[int], guards: str) -> frozenset[int]:
        """The states and what they skip to, through the guards that hold."""
        found = set(states)
        left = list(found)
        while left:
            for guard, after in self.skips.get(left.pop(), ()):
                if guard in guards and after not in found:
                    found.add(after)
                    left.append(after)
        return frozenset(found)
