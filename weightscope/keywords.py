"""Keywords of the Python functions: a wrong one is refused with the nearest name."""

from __future__ import annotations

from collections.abc import Callable, Collection
from difflib import get_close_matches
from functools import wraps
from typing import ParamSpec, TypeVar

from .errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")


def named(function: Callable[P, R]) -> Callable[P, R]:
    """The function, refusing unknown keywords with a UsageError instead of a TypeError; its type stays.

    >>> @named
    ... def fit(*models, by="tensor"): return by
    >>> fit("a", by="role")
    'role'
    """
    known = tuple(function.__kwdefaults__ or ())

    @wraps(function)
    def call(*models: P.args, **keywords: P.kwargs) -> R:
        check_known(function.__name__, keywords, known)
        return function(*models, **keywords)

    return call


def check_known(name: str, keywords: Collection[str], known: Collection[str]) -> None:
    """Refuses the first keyword that is not known; raises UsageError with the nearest name."""
    for keyword in keywords:
        if keyword not in known:
            near = get_close_matches(keyword, known, 1)
            raise UsageError(
                f"{name} has no option {keyword!r}",
                f"options: {', '.join(sorted(known))}",
                f"did you mean {near[0]!r}?" if near else "leave it out",
            )
