"""Series by name: their order, and which of them are pooled where they are too many.

They are pooled without their slots, without their stacks, by the first words of their roles, or by
their groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .roles import first_word, rank

MOST = 12  # shades and marks that can be told apart
Name = tuple[str, str]  # a group, and one of its series or the words that several are pooled by
Series = Mapping[str, str]  # source, name and group


def exact(series: Series) -> Name:
    """A series of its own."""
    return series["group"], series["name"]


def _without_slot(series: Series) -> Name:
    return series["group"], series["name"].partition("[")[0]


def _role(series: Series) -> Name:
    _, role, _ = _parts(series["name"])
    return series["group"], role


def _first_word(series: Series) -> Name:
    _, role, _ = _parts(series["name"])
    return series["group"], first_word(role)


def _group(series: Series) -> Name:
    return series["group"], ""


def _parts(name: str) -> tuple[str, str, str]:
    """Stack, role and slot of the name of a series.

    >>> _parts("decoder attn.q[cross]"), _parts("conv")
    (('decoder', 'attn.q', 'cross'), ('', 'conv', ''))
    """
    stack, _, role = name.rpartition(" ")
    role, _, slot = role.partition("[")
    return stack, role, slot.removesuffix("]")


def order(name: Name) -> tuple[Any, ...]:
    """The key that sorts names: by stack, as roles are, a second slot before a tenth."""
    stack, role, slot = _parts(name[1])
    return stack, rank(role), len(slot), slot


def pooling_of(series: Iterable[Series]) -> Callable[[Series], Name]:
    """The finest of the poolings that leaves no more names than can be told apart."""
    all_series = list(series)
    for pooling in (exact, _without_slot, _role, _first_word):
        if len({pooling(one) for one in all_series}) <= MOST:
            return pooling
    return _group
