"""The words of the invented language: closed classes in English, others from seeded syllables.

Every noun and verb has a singular and a plural form, so that agreement can be learned; every topic
has its own nouns, verbs and adjectives, so that the topic of a paragraph can be learned. The order
of a list is its Zipf rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NUMBERS = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen"
)
SINGULAR = _words("the a this every")
PLURAL = _words("the some these many")
ADVERBS = _words("often never now slowly")
PREPOSITIONS = _words("near with under beyond")
GLUE = _words(". , ( ) : ? that and but because says say plus is who what here are")
TOPICS, NOUNS, VERBS, ADJECTIVES = 8, 18, 8, 5

Forms = tuple[str, str]  # singular, plural


@dataclass(frozen=True)
class Topic:
    """The open words of one topic, each list in Zipf order."""

    nouns: tuple[Forms, ...]
    verbs: tuple[Forms, ...]
    adjectives: tuple[str, ...]


def stems(count: int) -> tuple[str, ...]:
    """Distinct pronounceable stems, always the same.

    >>> stems(3) == stems(5)[:3]
    True
    """
    random = Random(0)
    words: dict[str, None] = {}
    while len(words) < count:
        word = _syllable(random) + _syllable(random)
        words[word] = None
    return tuple(words)


def _syllable(random: Random) -> str:
    return random.choice("bdfgklmnprtvz") + random.choice("aeiou")


@cache
def topics() -> tuple[Topic, ...]:
    """All topics; a noun's plural ends in -s, a verb's singular in -t.

    >>> topics()[0].nouns[0]
    ('mobi', 'mobis')
    """
    each = NOUNS + VERBS + ADJECTIVES
    words = stems(TOPICS * each)
    return tuple(_topic(words[i : i + each]) for i in range(0, len(words), each))


def _topic(words: tuple[str, ...]) -> Topic:
    nouns, verbs, adjectives = words[:NOUNS], words[NOUNS : NOUNS + VERBS], words[NOUNS + VERBS :]
    return Topic(
        nouns=tuple((word, word + "s") for word in nouns),
        verbs=tuple((word + "t", word) for word in verbs),
        adjectives=tuple(word + "n" for word in adjectives),
    )


@cache
def vocabulary() -> tuple[str, ...]:
    """Every word of the language, each once; the index of a word is its token.

    >>> len(vocabulary()), vocabulary()[:3]
    (508, ('.', ',', '('))
    """
    closed = (*GLUE, *NUMBERS, *SINGULAR, *PLURAL, *ADVERBS, *PREPOSITIONS)
    forms: list[str] = []
    adjectives: list[str] = []
    for topic in topics():
        for pair in (*topic.nouns, *topic.verbs):
            forms += pair
        adjectives += topic.adjectives
    return tuple(dict.fromkeys((*closed, *forms, *adjectives)))
