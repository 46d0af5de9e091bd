"""Expressions as automata: the same matches as Python's `re`, in bounded time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.checkpoints.automaton import Unreadable
from weightscope.checkpoints.patterns import DEPTH, Exhausted, Pattern, Steps

PLENTY = 1_000_000
atoms = st.sampled_from(
    [
        "a",
        "b",
        r"\.",
        ".",
        r"\d",
        r"\w",
        "1",
        "[ab]",
        "[^a]",
        "[0-9]",
        "[a-b.]",
        "[]a]",
        "[a-]",
        "^",
        "$",
        r"[\d.]",
    ]
)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(
            inner, st.sampled_from(["*", "+", "?", "*?", "{2}", "{1,3}", "{0,2}", "{2,}"])
        ).map(lambda two: f"(?:{two[0]}){two[1]}"),
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(expression=expressions, text=st.text("ab.1-", max_size=7))
def test_an_automaton_answers_as_re_does(expression, text) -> None:
    """In the form in which PEFT matches."""
    whole = rf"(.*\.)?({expression})$"
    assert Pattern(whole).matches(text, Steps(PLENTY)) == bool(re.match(whole, text))


@pytest.mark.parametrize(
    "expression", ["(a+)+$", "(a|a)*$", "(.*a){20}", "(a*)*b", "(?:(?:a?){9}){9}"]
)
def test_time_grows_with_the_text_alone(expression) -> None:
    """Expressions that take `re` exponential time: few steps per letter with cached states."""
    pattern, steps = Pattern(expression), Steps(PLENTY)
    assert not pattern.matches("a" * 100 + "!", steps)
    before = steps.left
    assert not pattern.matches("a" * 400 + "!", steps)
    assert before - steps.left < 1000


@pytest.mark.parametrize("expression", [
    r"(a)\1", "(?=a)", "(?<!a)b", "(?i)a", r"\bq", "(", "a)", "[a", "*a", "a**", "a{3,2}", "{",
    "a{",
    "[b-a]", "\\", r"\x41", "(" * (DEPTH + 1) + ")" * (DEPTH + 1), "a" * 2000, "a{9999}",
    "((a{99}){99}){99}", "[", "[a-",
])  # fmt: skip
def test_what_no_automaton_can_do_is_unreadable(expression) -> None:
    """References, lookaround, flags, faults, and expressions that are too long or too large."""
    with pytest.raises(Unreadable):
        Pattern(expression)


def test_steps_run_out() -> None:
    """All expressions share a number of steps."""
    steps = Steps(10)
    with pytest.raises(Exhausted):
        Pattern(".*").matches("a" * 100, steps)
    assert steps.left < 0
