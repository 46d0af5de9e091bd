"""What a column is: the one declaration from which headers, types, gates and the column page come.

Rows and panels are the answers of an analysis: plain values, no sketch and no picture in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .notes import Notes

Kind = Literal["str", "int", "float", "bool"]
INDEX = "index"  # the unit of what says which, not how much


@dataclass(frozen=True)
class Column:
    """A named quantity: its type, one-line meaning, unit, source, and the option that brings it.

    `shown` columns stand in the compact table of a terminal; `option` is the flag without which the column is
    not measured ("" = always). `version` grows by one when the definition changes. `error` is the column that has
    the standard error of the value ("" = none is known). `machine` columns are for programs: JSON and Parquet have
    them, what people read has them where they are named.
    """

    name: str
    dtype: Kind
    meaning: str
    unit: str = ""
    source: str = ""
    shown: bool = False
    option: str = ""
    of: str = ""  # the column that this one sums up over tensors
    version: int = 1
    error: str = ""
    machine: bool = False

    @property
    def reading(self) -> str:
        """What this is the null expectation of; nothing for a column that is none.

        >>> Column("row_spread_null_median", "float", "what chance gives").reading
        'row_spread_median'
        """
        return self.name.replace("_null", "", 1) if "_null" in self.name else ""

    def suffixed(self, suffix: str, meaning: str) -> Column:
        """The same quantity seen otherwise (`std_median`): of the same version, without the error of one value.

        >>> least = Column("beta", "float", "shape", version=2, error="beta_se").suffixed("_min", "least of")
        >>> (least.name, least.meaning, least.version, least.error)
        ('beta_min', 'least of beta', 2, '')
        """
        dtype: Kind = "float" if suffix == "_median" else self.dtype
        meaning = f"{meaning} {self.name}"
        return replace(
            self,
            name=self.name + suffix,
            dtype=dtype,
            meaning=meaning,
            shown=False,
            of=self.name,
            error="",
        )


@dataclass(frozen=True)
class Row:
    """One line of the report's main table; a Block fills the others.

    `unmeasured` names the tensors behind it that were read and have no answer all the same; `notes` are the records
    behind the columns `note` and `note_codes`.
    """

    values: Mapping[str, object]
    unmeasured: tuple[str, ...] = ()
    notes: Notes = ()


@dataclass(frozen=True)
class Message:
    """A sentence for people, before the table or after it."""

    text: str
    after: bool = False


@dataclass(frozen=True, eq=False)
class Curve:
    """A labelled line of a panel: x and y as equal-length float sequences."""

    label: str
    x: Any
    y: Any
    style: str = "line"  # line | points | steps


@dataclass(frozen=True, eq=False)
class Panel:
    """The numbers behind one picture: curves with axis names; plain arrays, no matplotlib.

    It belongs to every row that has the values `of` in the columns of those names, to all rows where that is empty, and
    is drawn where one of them is shown. `note` says why there is nothing to draw.
    """

    title: str
    kind: str  # which picture draws it: density, spectrum, outliers
    xlabel: str = ""
    ylabel: str = ""
    curves: tuple[Curve, ...] = ()
    marks: Mapping[str, float] = field(default_factory=dict)
    of: Mapping[str, object] = field(default_factory=dict)
    note: str = ""


def titled(of: Mapping[str, object]) -> str:
    """The title of what belongs to some rows: the values by which they are known, none said twice.

    >>> titled({"source": "a.pt", "role": "norm", "kind": "norm"}), titled({"stack": None, "layer": 3, "kind": "conv"})
    ('a.pt: norm', 'layer 3 conv')
    """
    known = {key: value for key, value in of.items() if value is not None}
    source = f"{known.pop('source')}: " if "source" in known else ""
    return source + " ".join(
        dict.fromkeys(f"layer {v}" if k == "layer" else str(v) for k, v in known.items())
    )


@dataclass(frozen=True, eq=False)
class Block:
    """Many lines of a named table at once: equal-length arrays beside values that every line shares."""

    arrays: Mapping[str, Any]
    shared: Mapping[str, object]
    table: str
    columns: tuple[Column, ...]

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        for values in zip(*(a.tolist() for a in self.arrays.values()), strict=True):
            yield {**self.shared, **dict(zip(self.arrays, values, strict=True))}


Found = Row | Panel | Block | Message  # what the generator of an analysis yields
