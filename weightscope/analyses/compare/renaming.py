"""How the user says which names of A and B mean one tensor: expressions, and prefixes to strip.

Help needs the options alone, so this module imports no piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ...errors import UsageError
from ...options import option

ITEM = "--rename takes OLD=NEW: a regular expression for a whole name of A, and the name in B"


@dataclass(frozen=True)
class Renaming:
    """`rename` has items OLD=NEW, of which the first that matches counts.

    `everywhere`: names of B may still be spelled as those of A.
    """

    rename: tuple[str, ...] = option(
        (),
        r"Tensors of A called OLD (a regular expression, whole name) are NEW in B; \1 is a group.",
        metavar="OLD=NEW",
        repeatable=True,
    )
    strip_prefix: tuple[str, ...] = option(
        (),
        "Names are compared without this beginning, in A and in B.",
        metavar="PREFIX",
        repeatable=True,
    )

    everywhere: bool = False

    def __post_init__(self) -> None:
        _ = self._items  # refused before anything is opened

    def __bool__(self) -> bool:
        """Whether it changes any name."""
        return bool(self.rename or self.strip_prefix)

    @cached_property
    def _items(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        return tuple(_item(text) for text in self.rename)

    def renames(self, name: str) -> bool:
        """Whether an expression matches this name of A."""
        return any(old.fullmatch(name) for old, _ in self._items)

    def in_a(self, name: str) -> str:
        """The name by which a tensor of A is searched in B.

        >>> Renaming((r"h\\.(\\d+)\\.w=layers.\\1.w",)).in_a("h.3.w")
        'layers.3.w'
        """
        return self._stripped(self._renamed(name))

    def in_b(self, name: str) -> str:
        """The name of B without the prefixes, renamed like A's where that goes for every model."""
        if self.everywhere:
            return self.in_a(name)
        return self._stripped(name)

    def _stripped(self, name: str) -> str:
        """The name without the prefixes, each removed once, in their order."""
        for prefix in self.strip_prefix:
            name = name.removeprefix(prefix)
        return name

    def _renamed(self, name: str) -> str:
        for old, new in self._items:
            match = old.fullmatch(name)
            if match:
                return match.expand(new)
        return name


def refuse_collisions(names: Iterable[tuple[str, str]], where: str) -> None:
    """UsageError where two of the (stored, compared) names of a model are compared as one."""
    stored_as: dict[str, str] = {}
    for stored, compared in names:
        other = stored_as.setdefault(compared, stored)
        if other != stored:
            raise UsageError(
                "--rename and --strip-prefix keep the names of a model apart",
                f"{other!r} and {stored!r} of {where} both become {compared!r}",
                "narrow the expression or the prefix",
            )


def _item(text: str) -> tuple[re.Pattern[str], str]:
    """The expression and its replacement, divided by the last `=`: expressions may have one."""
    old, equals, new = text.rpartition("=")
    if not equals or not old:
        raise UsageError(ITEM, f"found {text!r}", r"write for example 'h\.(\d+)\.w=layers.\1.w'")
    try:
        pattern = re.compile(old)
    except (re.error, RecursionError, OverflowError) as fault:
        raise UsageError(ITEM, f"found {old!r}: {fault}", "correct the expression") from fault
    try:
        pattern.sub(new, "")  # checks the references even where nothing matches
    except (re.error, IndexError) as fault:
        raise UsageError(
            ITEM, f"found {new!r} for {old!r}: {fault}", "refer to groups of OLD"
        ) from fault
    return pattern, new
