from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import islice, pairwise

import pytest

from weightscope.demo import lexicon
from weightscope.demo.grammar import BASE, SHIFTED, Grammar, Writer


def text(grammar: Grammar, seed: int, length: int = 20_000) -> list[str]:
    return list(islice(Writer(grammar, seed).words(), length))


@cache
def counts_of_long_text(grammar: Grammar) -> Counter[str]:
    """How often each word occurs among 200,000."""
    return Counter(text(grammar, 1, 200_000))


def test_equal_seeds_write_equal_texts() -> None:
    """The seed decides the text, and another seed writes another."""
    assert text(BASE, 3) == text(BASE, 3)
    assert text(BASE, 3) != text(BASE, 4)


@pytest.mark.parametrize("grammar", [BASE, SHIFTED])
def test_all_words_are_in_the_vocabulary(grammar: Grammar) -> None:
    """No text leaves the vocabulary, and a long one uses nearly all of it."""
    seen, known = set(counts_of_long_text(grammar)), set(lexicon.vocabulary())
    assert seen <= known
    assert len(seen) > 0.98 * len(known)


@pytest.mark.parametrize("grammar", [BASE, SHIFTED])
def test_brackets_close_inside_each_sentence(grammar: Grammar) -> None:
    """Speech nests, to more than one level, and ends before its sentence does."""
    writer, deepest = Writer(grammar, 2), 0
    for _ in range(2000):
        depth = 0
        for word in writer.sentence():
            depth += (word == "(") - (word == ")")
            assert depth >= 0
            deepest = max(deepest, depth)
        assert depth == 0
    assert deepest >= 2


def test_sums_come_out_right() -> None:
    """Every `a plus b is c` holds."""
    words = text(BASE, 5)
    sums = [
        (words[i - 1], words[i + 1], words[i + 3])
        for i in range(1, len(words) - 3)
        if words[i] == "plus"
    ]
    value = lexicon.NUMBERS.index
    assert len(sums) > 100
    assert all(value(a) + value(b) == value(c) for a, b, c in sums)


def test_simple_subjects_agree_with_their_verb() -> None:
    """A noun right before a verb, in the base word order, has the verb's number."""
    nouns = {
        form: plural
        for t in lexicon.topics()
        for pair in t.nouns
        for plural, form in enumerate(pair)
    }
    verbs = {
        form: plural
        for t in lexicon.topics()
        for pair in t.verbs
        for plural, form in enumerate(pair)
    }
    writer, seen = Writer(Grammar(nesting=0.0), 6), Counter[bool]()
    for _ in range(2000):
        words = writer.sentence()
        seen.update(nouns[a] == verbs[b] for a, b in pairwise(words) if a in nouns and b in verbs)
    assert set(seen) == {True}
    assert seen[True] > 500


def test_words_are_zipf_distributed() -> None:
    """The most frequent noun of a topic is many times as frequent as its last."""
    counts, nouns = counts_of_long_text(BASE), lexicon.topics()[0].nouns
    first, last = (sum(counts[form] for form in nouns[rank]) for rank in (0, -1))
    assert first > 8 * last


def test_the_shifted_grammar_turns_order_and_topics_round() -> None:
    """The adapter's text ends clauses with the verb and prefers the rarest topics of the base."""
    verbs = {form for topic in lexicon.topics() for pair in topic.verbs for form in pair}
    before = {g: Counter(a in verbs for a, b in pairwise(t) if b == ".") for g, t in
              (("base", text(BASE, 8)), ("shifted", text(SHIFTED, 8)))}  # fmt: skip
    assert before["shifted"][True] > 1.2 * before["base"][True]
    last = {form for pair in lexicon.topics()[-1].nouns for form in pair}
    assert sum(w in last for w in text(SHIFTED, 8)) > 3 * sum(w in last for w in text(BASE, 8))
