"""Which columns there are, and what to say of one that there is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from ..columns import Column
from ..errors import UsageError
from ..escape import escaped


def check(names: Iterable[str], columns: Sequence[Column], optional: Mapping[str, str]) -> None:
    """Refuses the first name that is no column: with the option that brings it, or the nearest name.

    `optional` maps columns that this run does not measure to the option that would.

    >>> check(["std"], [Column("std", "float", "standard deviation")], {})
    """
    known = [c.name for c in columns]
    for name in dict.fromkeys(names):
        if name not in known:
            raise unknown(name, known, optional)


def unknown(
    name: str, known: Sequence[str], optional: Mapping[str, str], where: str = ""
) -> UsageError:
    """The error for a name that is no column of this run; `where` says at which position it stands."""
    if name in optional:
        return UsageError(
            f"expected a column of this run{where}",
            f"found '{name}', which needs {optional[name]}",
            f"add {optional[name]}" if optional[name].startswith("--") else "leave it out",
        )
    near = get_close_matches(name, [*known, *optional], 1, 0.5)
    advice = f"did you mean '{near[0]}'?" if near else "columns: " + ", ".join(known)
    return UsageError(f"expected a column{where}", f"found '{escaped(name)}'", advice)
