"""Which stack of A a stack of B corresponds to: the one that most of its pairs are in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ..pair import Pair


def stacks_of_b(pairs: Iterable[Pair]) -> Mapping[str, str]:
    """The stack of A for each stack of B; a stack without pairs has its own name."""
    votes: dict[str, Counter[str]] = {}
    for pair in pairs:
        if pair.b is None:
            continue
        of_stack = votes.setdefault(pair.b.place.stack, Counter())
        if pair.a is not None and pair.b.place.layer is not None:
            of_stack[pair.a.place.stack] += 1
    found = {}
    for stack, counter in votes.items():
        common = counter.most_common(1)
        found[stack] = common[0][0] if common else stack
    return found
