"""Regular expressions of strangers, matched in time that grows with the text alone.

Python's `re` may take longer than the universe for `(a+)+$`. Here an expression becomes a finite
automaton whose states are followed all at once. It knows literals, classes, groups, alternatives,
repetitions and anchors; what a finite automaton cannot do (references, looking around, flags) is
`Unreadable`, as is what is too long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .automaton import Accepts, Automaton, Part, Unreadable

LENGTH = 1000  # characters of an expression
DEPTH = 32  # groups in groups
KEPT = 4096  # transitions that are remembered
CLASSES = frozenset("dDwWsS")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_REPEAT = re.compile(r"\{(\d{1,4})(,?)(\d{0,4})\}")


class Exhausted(ValueError):
    """More steps than a match may take."""


@dataclass
class Steps:
    """How many steps may still be taken, by all expressions that share it."""

    left: int

    def take(self, many: int) -> None:
        """Raises Exhausted where none are left."""
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
        """The part of the whole expression."""
        part = self._alternatives()
        if self.at < len(self.text):
            raise Unreadable("unbalanced )")
        return part

    def _peek(self) -> str:
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
        return self.automaton.either(parts) if len(parts) > 1 else parts[0]

    def _sequence(self) -> Part:
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated())
        return self.automaton.joined(parts)

    def _repeated(self) -> Part:
        """An atom and how often it comes."""
        start = self.at
        part = self._atom()
        least, most = self._times()
        if (least, most) != (1, 1):
            part = self._written_out(start, part, least, most)
            if self._peek() == "?":  # lazy: the same texts match
                self.at += 1
            if self._peek() and self._peek() in "*+?{":
                raise Unreadable("a repetition of a repetition")
        return part

    def _times(self) -> tuple[int, int | None]:
        """The least and the greatest number of times; None without an end."""
        usual: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        sign = self._peek()
        if sign in usual:
            self.at += 1
            return usual[sign]
        found = _REPEAT.match(self.text, self.at)
        if not found:
            if sign == "{":
                raise Unreadable("a brace")
            return 1, 1
        self.at = found.end()
        least = int(found[1])
        if not found[2]:
            return least, least
        return least, int(found[3]) if found[3] else None

    def _written_out(self, start: int, part: Part, least: int, most: int | None) -> Part:
        """The atom that begins at `start` as often as it has to come, then as often as it may."""
        if most is None and least <= 1:
            return self.automaton.loop(part, least)
        if most is not None and most < least:
            raise Unreadable("fewer times at most than at least")
        after = self.at
        copies = [self._again(start) for _ in range(least)]
        if most is None:
            copies.append(self.automaton.loop(self._again(start), 0))
        else:
            empty = (self.automaton.anchor("") for _ in range(most - least))
            copies += [self.automaton.either((self._again(start), none)) for none in empty]
        self.at = after
        return self.automaton.joined(copies)

    def _again(self, start: int) -> Part:
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
        """What an escape of one character means; other letters and digits are no literals."""
        if char in ESCAPES:
            return ESCAPES[char]
        if char.isalnum():
            raise Unreadable("an escape")
        return char

    def _class(self) -> Accepts:
        """What stands between brackets, the first of which has been read."""
        negated = self._peek() == "^"
        self.at += negated
        accepted: list[Accepts] = []
        while self._peek() != "]" or not accepted:
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
        """One character of a class; None where it was a class itself."""
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
    """An expression that a whole text matches or not; raises Unreadable, Exhausted.

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
        """Whether it matches from the first character to the last, as `re.fullmatch` would."""
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
        key = states, char
        if key not in self._after:
            moves = (
                self._automaton.moves[state] for state in states if state in self._automaton.moves
            )
            taken = (after for accepts, after in moves if accepts(char))
            if len(self._after) >= KEPT:
                self._after.clear()
                self._ends.clear()
            self._after[key] = self._automaton.closure(taken, "")
            steps.take(len(states) + len(self._after[key]))
        return self._after[key]
