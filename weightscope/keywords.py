"""Checks keywords of the Python functions: an unknown one is refused with the nearest name."""

from __future__ import annotations

from collections.abc import Callable, Collection
from difflib import get_close_matches
from functools import wraps
from typing import ParamSpec, TypeVar

from .errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")


def named(function: Callable[P, R]) -> Callable[P, R]:
    """The function with the same type, with UsageError instead of TypeError for unknown keywords.

    >>> @named
    ... def fit(*models, by="tensor"): return by
    >>> fit("a", by="role")
    'role'
    """
    options = tuple(function.__kwdefaults__ or ())

    @wraps(function)
    def call(*models: P.args, **keywords: P.kwargs) -> R:
        check_known(function.__name__, keywords, options)
        return function(*models, **keywords)

    return call


def check_known(name: str, keywords: Collection[str], options: Collection[str]) -> None:
    """Raises UsageError with the nearest name for the first keyword that is no option."""
    for keyword in keywords:
        if keyword not in options:
            near = get_close_matches(keyword, options, 1)
            raise UsageError(
                f"{name} has no option {keyword!r}",
                f"options: {', '.join(sorted(options))}",
                f"did you mean {near[0]!r}?" if near else "leave it out",
            )
