"""Errors for names that are no column of a run: with the option they need, or the nearest name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..columns import Column
from ..errors import UsageError
from ..escape import escaped
from .suggestions import SAME, added, meant


def check(names: Iterable[str], columns: Sequence[Column], optional: Mapping[str, str]) -> None:
    """Refuses the first name that is no column.

    `optional` maps columns that this run does not measure to the option that would.

    >>> check(["std"], [Column("std", "float", "standard deviation")], {})
    """
    declared = [column.name for column in columns]
    for name in dict.fromkeys(names):
        if name not in declared:
            raise unknown(name, declared, optional)


def unknown(
    name: str, declared: Sequence[str], optional: Mapping[str, str], where: str = ""
) -> UsageError:
    """The error for a name that is no column of this run; `where` is its position in the text."""
    same = SAME.get(name.lower())
    if name in optional and same in declared:  # `sigma` of a law, and usually the std of a tensor
        need = optional[name]
        return UsageError(
            f"expected a column of this run{where}",
            f"found '{name}', which needs {need}",
            f"did you mean '{same}'? or {added(need)}",
        )
    if name in optional:
        need = optional[name]
        return UsageError(
            f"expected a column of this run{where}",
            f"found '{name}', which needs {need}",
            f"add {need}" if need.startswith("--") else "leave it out",
        )
    advice = meant(name, declared, optional)
    if not advice:
        advice = "columns: " + ", ".join(declared)
    return UsageError(f"expected a column{where}", f"found '{escaped(name)}'", advice)
