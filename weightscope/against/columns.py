"""The columns of a comparison with a stored report, fixed by what is stored.

What identifies a row has one column; anything else has two, `std_a` and `std_b`, and a number a
third, `std_change` = b - a.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..analyses.rows import CODES, KEYS, NOTE, TENSOR
from ..columns import INDEX, Column, Kind
from ..errors import UsageError
from ..escape import escaped, listed
from ..reports.known import check
from ..reports.stored import StoredReport
from ..reports.tables import CHARACTER_PICTURES
from .command import Command

STATUS = Column(
    "status",
    "str",
    "same or changed; added (only the model has it) or removed (only the report has it)",
    shown=True,
)
GROUP_KEYS = (*dict.fromkeys(column.name for keys in KEYS.values() for column in keys), "kind")
TWICE = ("shape", "dtype")  # of the identity of a tensor, what B may have otherwise
ONCE = frozenset(column.name for column in TENSOR) - set(TWICE)
ASIDE = frozenset({NOTE.name, CODES.name, "file"})  # no part of what `same` compares
CHANGE = "_change"


@dataclass(frozen=True, eq=False)
class Layout:
    """`keys` identify a row, `once` have one column, `twice` those of A and B.

    `moved` are columns whose definition changed after the report was stored.
    """

    keys: tuple[str, ...]
    once: tuple[Column, ...]
    twice: tuple[Column, ...]
    moved: frozenset[str]
    stored_versions: Mapping[str, int]

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns of the report that are compared, as declared today."""
        return (*self.once, *self.twice)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the comparison."""
        columns = [*self.once, STATUS]
        numbers = [column for column in self.twice if is_number(column)]
        marked = [column for column in numbers if column.shown]
        for column in self.twice:
            version = self.stored_versions.get(column.name, column.version)
            columns.append(replace(_side(column, "_a", "in the report"), version=version))
            columns.append(_side(column, "_b", "in the model"))
            if is_number(column):
                shown = column.shown or not marked
                columns.append(_change(column, shown))
        return (*columns, NOTE, CODES)


def keys_of(columns: Sequence[Column]) -> tuple[str, ...] | None:
    """The columns that identify the rows of a run; None for a list, whose rows have no key."""
    names = {column.name for column in columns}
    law = ("law",) if "law" in names else ()
    if "tensor" in names:
        is_list = not law and "kind" not in names  # the largest weights or rows of tensors
        return None if is_list else ("tensor", *law)
    if "tensors" in names:
        groups = tuple(key for key in GROUP_KEYS if key in names)
        return (*groups, *law)
    if "key" in names:
        return ("key",)
    return None


def layout(stored: StoredReport, command: Command) -> Layout:
    """The columns of a comparison.

    Raises UsageError for a report of several models or of a list, for one without the keys of its
    rows, and for columns that the command no longer has.
    """
    path = escaped(stored.path)
    if "source" in stored.names:
        raise UsageError(
            f"{path}: expected a report of one MODEL",
            "found the column source, of several MODELs",
            "store a report of one of them",
        )
    keys = keys_of(command.columns)
    if keys is None:
        raise UsageError(
            f"{path}: expected rows of tensors or groups",
            f"found a list of `{command.text}`, whose rows have no key",
            "store a report without that option",
        )
    names = [name for name in stored.names if name not in CHARACTER_PICTURES]
    _check_known(path, names, command)
    absent = [key for key in keys if key not in names]
    if absent:
        raise UsageError(
            f"{path}: expected the columns that identify a row: {', '.join(keys)}",
            f"found {listed(names)}",
            f"store it with --columns {','.join(absent)} too",
        )
    by_name = {column.name: column for column in command.columns}
    columns = [by_name[name] for name in names]
    single = frozenset(keys)
    if "tensor" in keys:
        single |= ONCE
    versions = _versions(command.versions or {}, columns)
    return Layout(
        keys,
        tuple(_once(column, keys) for column in columns if column.name in single),
        tuple(column for column in columns if column.name not in single),
        frozenset(c.name for c in columns if versions.get(c.name, c.version) != c.version),
        versions,
    )


def is_number(column: Column) -> bool:
    """Whether a difference has a meaning: an index is a name."""
    return column.dtype in ("int", "float") and column.unit != INDEX


def _check_known(path: str, names: Sequence[str], command: Command) -> None:
    try:
        check(names, command.columns, command.absent)
    except UsageError as error:
        raise UsageError(
            f"{path}: {error.expected} `{command.text}`",
            error.found,
            "store the report again with this version",
        ) from None


def _versions(stored: Mapping[str, Any], columns: Sequence[Column]) -> dict[str, int]:
    """The versions in the provenance; what is no number counts as today's."""
    versions = {column.name: stored.get(column.name, column.version) for column in columns}
    return {name: version for name, version in versions.items() if type(version) is int}


def _once(column: Column, keys: Sequence[str]) -> Column:
    """A column of the identity; a terminal shows the keys."""
    return replace(column, shown=column.name in keys and column.shown)


def _side(column: Column, suffix: str, where: str) -> Column:
    error = column.error + suffix if column.error else ""
    return replace(
        column,
        name=column.name + suffix,
        meaning=f"{column.meaning}; {where}",
        shown=False,
        of="",
        error=error,
        option="",
    )


def _change(column: Column, shown: bool) -> Column:
    name = column.name
    dtype: Kind = column.dtype
    return Column(
        name + CHANGE,
        dtype,
        f"{name}_b - {name}_a; null where either is null",
        column.unit,
        shown=shown,
        version=column.version,
    )
