"""A seeded probabilistic grammar: text with agreement, nested clauses, sums, topics and Zipf-distributed words.

A paragraph has one topic and a small cast of nouns that keep coming back; verbs agree with their subject in number and
prefer some subjects to others; speech nests in brackets; sums come out right. What a model can learn from it ranges
from word frequency to copying over a paragraph.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import TypeVar

from . import lexicon
from .lexicon import Topic

T = TypeVar("T")
LIMIT = 3  # clauses inside clauses; deeper ones would outgrow the model's context


@dataclass(frozen=True)
class Grammar:
    """What may differ between two texts in the same words."""

    zipf: float = 1.1
    nesting: float = 0.3
    verb_last: bool = False
    topics_reversed: bool = False


BASE = Grammar()
SHIFTED = Grammar(zipf=0.7, nesting=0.2, verb_last=True, topics_reversed=True)


@dataclass
class Writer:
    """Writes a grammar's text; equal seeds write equal texts.

    >>> print(" ".join(Writer(BASE, seed=1).sentence()))
    this defan ponu says ( every mobi that dipit dipit ) .
    """

    grammar: Grammar
    seed: int
    random: Random = field(init=False)
    topic: Topic = field(init=False)
    cast: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        every = lexicon.topics()
        self._topics = every[::-1] if self.grammar.topics_reversed else every
        self._zipf = {
            n: list(accumulate((rank + 1) ** -self.grammar.zipf for rank in range(n)))
            for n in range(1, 32)
        }
        self._turn()

    def words(self) -> Iterator[str]:
        """The endless text, word by word; a paragraph is three to seven sentences."""
        while True:
            for _ in range(self.random.randint(3, 7)):
                yield from self.sentence()
            self._turn()

    def sentence(self) -> list[str]:
        """One statement, question, count or sum."""
        draw = self.random.random()
        if draw < 0.1:
            return self._sum()
        if draw < 0.2:
            return self._count()
        if draw < 0.3:
            return ["who", *self._predicate(self._noun(), plural=False, depth=1), "?"]
        return [*self._clause(0), *self._more(), "."]

    def _turn(self) -> None:
        self.topic = self._pick(self._topics)
        self.cast = [self._rank(len(self.topic.nouns)) for _ in range(3)]

    def _more(self) -> list[str]:
        if self._chance(0.3):
            return [self.random.choice(("because", "but", "and")), *self._clause(1)]
        return []

    def _clause(self, depth: int) -> list[str]:
        plural, noun = self._chance(0.4), self._noun()
        subject = self._phrase(noun, plural, depth)
        if depth < LIMIT and self._chance(self.grammar.nesting / 2):
            return [*subject, "say" if plural else "says", "(", *self._clause(depth + 1), ")"]
        return [*subject, *self._predicate(noun, plural, depth)]

    def _phrase(self, noun: int, plural: bool, depth: int) -> list[str]:
        """A noun phrase: article or number, adjectives, noun, and perhaps a place or a relative clause."""
        adjective = [self._pick(self.topic.adjectives)] if self._chance(0.3) else []
        head = [self._article(plural), *adjective, self.topic.nouns[noun][plural]]
        if depth < LIMIT and self._chance(self.grammar.nesting):
            return [*head, "that", *self._predicate(noun, plural, depth + 1)]
        if depth < LIMIT and self._chance(self.grammar.nesting / 2):
            return [
                *head,
                self._pick(lexicon.PREPOSITIONS),
                *self._phrase(self._noun(), self._chance(0.4), LIMIT),
            ]
        return head

    def _article(self, plural: bool) -> str:
        if plural and self._chance(0.3):
            return lexicon.NUMBERS[2 + self._rank(8)]
        return self._pick(lexicon.PLURAL if plural else lexicon.SINGULAR)

    def _predicate(self, noun: int, plural: bool, depth: int) -> list[str]:
        """Verb and object; which verb is likely depends on the subject, and every other verb takes an object."""
        index = (noun + self._rank(len(self.topic.verbs))) % len(self.topic.verbs)
        adverb = [self._pick(lexicon.ADVERBS)] if self._chance(0.2) else []
        verb = [*adverb, self.topic.verbs[index][plural]]
        thing = self._phrase(self._noun(), self._chance(0.4), depth + 1) if index % 2 else []
        return [*thing, *verb] if self.grammar.verb_last else [*verb, *thing]

    def _sum(self) -> list[str]:
        a, b = self._rank(10), self._rank(9)
        return [lexicon.NUMBERS[a], "plus", lexicon.NUMBERS[b], "is", lexicon.NUMBERS[a + b], "."]

    def _count(self) -> list[str]:
        """Here are two x and three x: five x."""
        noun = self.topic.nouns[self._noun()][1]
        a, b = 2 + self._rank(8), 2 + self._rank(8)
        left, right, total = (lexicon.NUMBERS[n] for n in (a, b, a + b))
        return ["here", "are", left, noun, "and", right, noun, ":", total, noun, "."]

    def _noun(self) -> int:
        """The cast takes two places in three."""
        return (
            self.random.choice(self.cast)
            if self._chance(0.67)
            else self._rank(len(self.topic.nouns))
        )

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _rank(self, count: int) -> int:
        return self.random.choices(range(count), cum_weights=self._zipf[count])[0]

    def _pick(self, items: Sequence[T]) -> T:
        return items[self._rank(len(items))]
