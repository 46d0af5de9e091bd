"""A finite automaton: transitions take a character or none; all states are followed at once.

It is composed of parts, each with a first and a last state. The syntax of expressions is in
patterns.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

STATES = 2000  # of one automaton: a repetition has a copy of its part for each time

Accepts = Callable[[str], bool]  # whether a transition takes a character


class Unreadable(ValueError):
    """An expression with a fault, or one that needs more than a finite automaton."""


@dataclass(frozen=True)
class Part:
    """A part of an automaton: its first and its last state."""

    first: int
    last: int


@dataclass
class Automaton:
    """`moves` take a character, `skips` none; the guard of a skip is "^", "$" or ""."""

    moves: dict[int, tuple[Accepts, int]] = field(default_factory=dict)
    skips: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    size: int = 0

    def state(self) -> int:
        """A new state."""
        if self.size >= STATES:
            raise Unreadable("too many states")
        self.size += 1
        return self.size - 1

    def skip(self, first: int, last: int, guard: str = "") -> None:
        """Add a transition without a character."""
        transitions = self.skips.setdefault(first, [])
        transitions.append((guard, last))

    def step(self, accepts: Accepts) -> Part:
        """A part that takes one character."""
        part = Part(self.state(), self.state())
        self.moves[part.first] = accepts, part.last
        return part

    def anchor(self, guard: str) -> Part:
        """A part that takes no character; a guard limits it to the start or the end of the text."""
        part = Part(self.state(), self.state())
        self.skip(part.first, part.last, guard)
        return part

    def joined(self, parts: Iterable[Part]) -> Part:
        """A part that takes the parts one after the other."""
        whole = self.anchor("")  # so that no parts are a part too
        last = whole.first
        for part in parts:
            self.skip(last, part.first)
            last = part.last
        return Part(whole.first, last)

    def either(self, parts: Iterable[Part]) -> Part:
        """A part that takes one of the parts."""
        whole = Part(self.state(), self.state())
        for part in parts:
            self.skip(whole.first, part.first)
            self.skip(part.last, whole.last)
        return whole

    def loop(self, part: Part, least: int) -> Part:
        """A part that takes another any number of times, at least `least`, which is 0 or 1."""
        whole = Part(self.state(), self.state())
        self.skip(whole.first, part.first)
        self.skip(part.last, whole.last)
        self.skip(part.last, part.first)  # once more
        if least == 0:
            self.skip(whole.first, whole.last)
        return whole

    def closure(self, states: Iterable[int], guards: str) -> frozenset[int]:
        """The states and all that skips reach from them, where their guards are among `guards`."""
        reached = set(states)
        pending = list(reached)
        while pending:
            for guard, after in self.skips.get(pending.pop(), ()):
                if guard in guards and after not in reached:
                    reached.add(after)
                    pending.append(after)
        return frozenset(reached)
