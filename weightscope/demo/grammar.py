"""A seeded probabilistic grammar: agreement, nested clauses, sums, topics and Zipf's law.

A paragraph has one topic and a small cast of recurring nouns; verbs agree with their subject in
number and prefer some subjects; speech nests in brackets; sums are correct. A model can learn from
word frequencies up to copying over a paragraph.
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
    """What differs between two languages with the same words."""

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
        self._topics = lexicon.topics()
        if self.grammar.topics_reversed:
            self._topics = self._topics[::-1]
        # cumulated Zipf weights of lists of 1 to 31 words
        self._zipf = {}
        for count in range(1, 32):
            weights = [(rank + 1) ** -self.grammar.zipf for rank in range(count)]
            self._zipf[count] = list(accumulate(weights))
        self._begin_paragraph()

    def words(self) -> Iterator[str]:
        """The endless text, word by word; a paragraph is three to seven sentences."""
        while True:
            for _ in range(self.random.randint(3, 7)):
                yield from self.sentence()
            self._begin_paragraph()

    def sentence(self) -> list[str]:
        """One statement, question, count or sum."""
        uniform = self.random.random()
        if uniform < 0.1:
            return self._sum()
        if uniform < 0.2:
            return self._count()
        if uniform < 0.3:
            return ["who", *self._predicate(self._noun(), plural=False, depth=1), "?"]
        return [*self._clause(0), *self._conjunct(), "."]

    def _begin_paragraph(self) -> None:
        """A new topic with three recurring nouns."""
        self.topic = self._pick(self._topics)
        self.cast = [self._rank(len(self.topic.nouns)) for _ in range(3)]

    def _conjunct(self) -> list[str]:
        """Perhaps a second clause with its conjunction."""
        if not self._happens(0.3):
            return []
        conjunction = self.random.choice(("because", "but", "and"))
        return [conjunction, *self._clause(1)]

    def _clause(self, depth: int) -> list[str]:
        """Subject and predicate, or subject and speech."""
        plural = self._happens(0.4)
        noun = self._noun()
        subject = self._phrase(noun, plural, depth)
        if depth < LIMIT and self._happens(self.grammar.nesting / 2):
            verb = "say" if plural else "says"
            return [*subject, verb, "(", *self._clause(depth + 1), ")"]
        return [*subject, *self._predicate(noun, plural, depth)]

    def _phrase(self, noun: int, plural: bool, depth: int) -> list[str]:
        """A noun phrase: article, adjective, noun, perhaps a location or relative clause."""
        # the order of the calls decides the text: the adjective comes before the article
        adjective = []
        if self._happens(0.3):
            adjective = [self._pick(self.topic.adjectives)]
        head = [self._article(plural), *adjective, self.topic.nouns[noun][plural]]
        if depth < LIMIT and self._happens(self.grammar.nesting):
            return [*head, "that", *self._predicate(noun, plural, depth + 1)]
        if depth < LIMIT and self._happens(self.grammar.nesting / 2):
            preposition = self._pick(lexicon.PREPOSITIONS)
            location = self._phrase(self._noun(), self._happens(0.4), LIMIT)
            return [*head, preposition, *location]
        return head

    def _article(self, plural: bool) -> str:
        if plural and self._happens(0.3):
            return lexicon.NUMBERS[2 + self._rank(8)]
        if plural:
            return self._pick(lexicon.PLURAL)
        return self._pick(lexicon.SINGULAR)

    def _predicate(self, noun: int, plural: bool, depth: int) -> list[str]:
        """Verb and object; the subject decides which verbs are likely."""
        verbs = self.topic.verbs
        index = (noun + self._rank(len(verbs))) % len(verbs)
        adverb = []
        if self._happens(0.2):
            adverb = [self._pick(lexicon.ADVERBS)]
        verb = [*adverb, verbs[index][plural]]
        direct_object: list[str] = []
        if index % 2:  # every other verb is transitive
            direct_object = self._phrase(self._noun(), self._happens(0.4), depth + 1)
        if self.grammar.verb_last:
            return [*direct_object, *verb]
        return [*verb, *direct_object]

    def _sum(self) -> list[str]:
        """Two plus three is five."""
        a, b = self._rank(10), self._rank(9)
        left, right = lexicon.NUMBERS[a], lexicon.NUMBERS[b]
        total = lexicon.NUMBERS[a + b]
        return [left, "plus", right, "is", total, "."]

    def _count(self) -> list[str]:
        """Here are two x and three x: five x."""
        noun = self.topic.nouns[self._noun()][1]
        a, b = 2 + self._rank(8), 2 + self._rank(8)
        left, right = lexicon.NUMBERS[a], lexicon.NUMBERS[b]
        total = lexicon.NUMBERS[a + b]
        return ["here", "are", left, noun, "and", right, noun, ":", total, noun, "."]

    def _noun(self) -> int:
        """A noun of the topic by its rank; two of three are of the cast."""
        if self._happens(0.67):
            return self.random.choice(self.cast)
        return self._rank(len(self.topic.nouns))

    def _happens(self, share: float) -> bool:
        return self.random.random() < share

    def _rank(self, count: int) -> int:
        """A rank below `count`, by Zipf's law."""
        cumulated = self._zipf[count]
        return self.random.choices(range(count), cum_weights=cumulated)[0]

    def _pick(self, items: Sequence[T]) -> T:
        rank = self._rank(len(items))
        return items[rank]
