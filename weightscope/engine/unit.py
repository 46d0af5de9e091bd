"""A unit is what is measured together: entries over the same boxes, the measures wanted of each, and a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..checkpoints import Entry
from ..sketches.sketch import Measure


@dataclass(frozen=True, eq=False)
class Unit:
    """`key` is the analysis's own; entries share their shape; leaves that several need are read once."""

    key: Any
    entries: Mapping[str, Entry]  # {"": W}, or {"a": A, "b": B, "delta": B - A}
    wants: Mapping[str, frozenset[Measure]]  # per entry


@dataclass(frozen=True, eq=False)
class Measured:
    """The answer: sketches[entry][measure], why one is missing, and what `each` made of it."""

    unit: Unit
    sketches: Mapping[str, Mapping[Measure, Any]]
    note: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


Each = Callable[[Measured], Mapping[str, object]]


class Measurer(Protocol):
    """The engine as an analysis sees it: units in, answers in the same order; `each` runs beside the reading."""

    def __call__(self, units: Sequence[Unit], each: Each) -> Iterator[Measured]:
        """Measures all, lazily."""
