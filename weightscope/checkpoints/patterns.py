"""Regular expressions of unknown origin, matched in time that is linear in the text.

Python's `re` may take exponential time for `(a+)+$`. Here an expression becomes a finite automaton
whose states are followed all at once. It supports literals, classes, groups, alternatives,
repetitions and anchors; references, lookaround, flags and long expressions are `Unreadable`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .automaton import Accepts, Automaton, Part, Unreadable

LENGTH = 1000  # characters of an expression
DEPTH = 32  # groups in groups
CACHED = 4096  # transitions
CLASSES = frozenset("dDwWsS")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_REPEAT = re.compile(r"\{(\d{1,4})(,?)(\d{0,4})\}")


class Exhausted(ValueError):
    """A match takes more steps than are allowed."""


@dataclass
class Steps:
    """The number of steps that remain for all expressions that share it."""

    left: int

    def take(self, many: int) -> None:
        """Subtract steps; raises Exhausted where too few remain."""
        self.left -= many
        if self.left < 0:
            raise Exhausted


class Parser:
    """One expression, read from left to right; each repetition of a group is a part of its own."""

    def __init__(self, text: str) -> None:
        if len(text) > LENGTH:
            raise Unreadable("too long")
        self.text = text
        self.at = 0
        self.depth = 0
        self.automaton = Automaton()

    def whole(self) -> Part:
        """The automaton of the whole expression."""
        part = self._alternatives()
        if self.at < len(self.text):
            raise Unreadable("unbalanced )")
        return part

    def _peek(self) -> str:
        """The next character, "" at the end."""
        return self.text[self.at : self.at + 1]

    def _next(self) -> str:
        if self.at >= len(self.text):
            raise Unreadable("ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def _alternatives(self) -> Part:
        parts = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            parts.append(self._sequence())
        if len(parts) == 1:
            return parts[0]
        return self.automaton.either(parts)

    def _sequence(self) -> Part:
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated())
        return self.automaton.joined(parts)

    def _repeated(self) -> Part:
        """An atom and its repetition."""
        start = self.at
        part = self._atom()
        least, most = self._times()
        if (least, most) != (1, 1):
            part = self._unrolled(start, part, least, most)
            if self._peek() == "?":  # lazy: the same texts match
                self.at += 1
            if self._peek() and self._peek() in "*+?{":
                raise Unreadable("a repetition of a repetition")
        return part

    def _times(self) -> tuple[int, int | None]:
        """The least and the greatest number of repetitions; None without a limit."""
        usual: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        sign = self._peek()
        if sign in usual:
            self.at += 1
            return usual[sign]
        match = _REPEAT.match(self.text, self.at)
        if not match:
            if sign == "{":
                raise Unreadable("a brace")
            return 1, 1
        self.at = match.end()
        lower, comma, upper = match.groups()
        least = int(lower)
        if not comma:
            return least, least
        return least, int(upper) if upper else None

    def _unrolled(self, start: int, part: Part, least: int, most: int | None) -> Part:
        """`least` copies of the atom that begins at `start`, then optional copies up to `most`."""
        if most is None and least <= 1:
            return self.automaton.loop(part, least)
        if most is not None and most < least:
            raise Unreadable("fewer times at most than at least")
        after = self.at
        copies = [self._again(start) for _ in range(least)]
        if most is None:
            copies.append(self.automaton.loop(self._again(start), 0))
        else:
            for _ in range(most - least):
                nothing = self.automaton.anchor("")  # the copy may be omitted
                copies.append(self.automaton.either((self._again(start), nothing)))
        self.at = after
        return self.automaton.joined(copies)

    def _again(self, start: int) -> Part:
        """Another copy of an atom: its text is parsed again, since states cannot be shared."""
        self.at = start
        return self._atom()

    def _atom(self) -> Part:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return self.automaton.step(self._class())
        if char in "^$":
            return self.automaton.anchor(char)
        if char == ".":
            return self.automaton.step(lambda c: c != "\n")
        if char == "\\":
            return self.automaton.step(self._escaped())
        if char in "*+?{":
            raise Unreadable("nothing to repeat")
        return self.automaton.step(char.__eq__)

    def _group(self) -> Part:
        self.depth += 1
        if self.depth > DEPTH:
            raise Unreadable("too deep")
        if self._peek() == "?":
            if self.text[self.at : self.at + 2] != "?:":
                raise Unreadable("a group of another kind")
            self.at += 2
        part = self._alternatives()
        if self._next() != ")":
            raise Unreadable("an open group")
        self.depth -= 1
        return part

    def _escaped(self) -> Accepts:
        char = self._next()
        if char in CLASSES:
            return _class_of(char)
        return self._literal(char).__eq__

    def _literal(self, char: str) -> str:
        """The character of an escape; other letters and digits have no literal meaning."""
        if char in ESCAPES:
            return ESCAPES[char]
        if char.isalnum():
            raise Unreadable("an escape")
        return char

    def _class(self) -> Accepts:
        """The class between brackets, the first of which has been parsed."""
        negated = self._peek() == "^"
        self.at += negated
        accepted: list[Accepts] = []
        while self._peek() != "]" or not accepted:  # a leading ] is literal
            low = self._member(accepted)
            if low is None:
                continue
            ranged = self._peek() == "-" and self.text[self.at + 1 : self.at + 2] != "]"
            if ranged:
                self.at += 1
                high = self._member(accepted)
                if high is None or high < low:
                    raise Unreadable("a range")
                accepted.append(_between(low, high))
            else:
                accepted.append(low.__eq__)
        self.at += 1
        return lambda c: any(accepts(c) for accepts in accepted) != negated

    def _member(self, accepted: list[Accepts]) -> str | None:
        """One character of a class; None for an escaped class, which is added to `accepted`."""
        char = self._next()
        if char != "\\":
            return char
        char = self._next()
        if char in CLASSES:
            accepted.append(_class_of(char))
            return None
        return self._literal(char)


def _class_of(char: str) -> Accepts:
    pattern = re.compile(f"\\{char}")
    return lambda c: pattern.match(c) is not None


def _between(low: str, high: str) -> Accepts:
    return lambda c: low <= c <= high


class Pattern:
    """An expression for whole texts; raises Unreadable, and Exhausted while matching.

    >>> Pattern(r"(.*\\.)?layers\\.(0|1\\d)\\.q").matches("model.layers.17.q", Steps(1000))
    True
    """

    def __init__(self, text: str) -> None:
        parser = Parser(text)
        self._whole = parser.whole()
        self._automaton = parser.automaton
        self._after: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self._ends: dict[frozenset[int], bool] = {}

    def matches(self, text: str, steps: Steps) -> bool:
        """Whether the whole text matches, as with `re.fullmatch`."""
        if not text:
            return self._whole.last in self._automaton.closure({self._whole.first}, "^$")
        states = self._automaton.closure({self._whole.first}, "^")
        for char in text:
            steps.take(1)
            states = self._next(states, char, steps)
            if not states:
                return False
        if states not in self._ends:
            self._ends[states] = self._whole.last in self._automaton.closure(states, "$")
        return self._ends[states]

    def _next(self, states: frozenset[int], char: str, steps: Steps) -> frozenset[int]:
        """The states after a character; known transitions cost no further step."""
        key = states, char
        if key in self._after:
            return self._after[key]
        if len(self._after) >= CACHED:  # memory stays bounded
            self._after.clear()
            self._ends.clear()
        after = self._automaton.closure(self._moves(states, char), "")
        self._after[key] = after
        steps.take(len(states) + len(after))
        return after

    def _moves(self, states: frozenset[int], char: str) -> Iterator[int]:
        """The states that the character leads to."""
        moves = self._automaton.moves
        for state in states:
            if state in moves:
                accepts, after = moves[state]
                if accepts(char):
                    yield after
