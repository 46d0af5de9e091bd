from __future__ import annotations

from collections import Counter

from weightscope.demo import lexicon


def test_every_word_has_one_token() -> None:
    """No word stands twice in the vocabulary, and no stem belongs to two topics."""
    words = lexicon.vocabulary()
    assert max(Counter(words).values()) == 1
    nouns = [noun for topic in lexicon.topics() for noun, _ in topic.nouns]
    assert len(set(nouns)) == lexicon.TOPICS * lexicon.NOUNS


def test_stems_never_change() -> None:
    """The stems are a constant, for the stored models were trained on them."""
    assert lexicon.stems(4) == ("mobi", "pomi", "nire", "peke")
