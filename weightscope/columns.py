"""Columns: one declaration for headers, types, gates and the page of columns.

Rows, blocks and panels are the results of an analysis: plain values, without sketches or figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .notes import Notes

Kind = Literal["str", "int", "float", "bool"]
MODEL = "model"  # the unit of the names of sources
INDEX = "index"  # the unit of numbers that identify: a layer, a row
STEP = "step"  # the axis of x of a panel over the steps of a series
FRAMES = "frames"  # the kind of panels with a curve per step, drawn as an animation


@dataclass(frozen=True)
class Column:
    """A named quantity: its type, one-line meaning, unit, source, and the option that it needs.

    `shown` columns are part of the compact table of a terminal; `option` is the flag without which
    the column is not measured ("" = always). `version` grows by one when the definition changes.
    `error` is the column with the standard error of the value ("" = there is none). `machine`
    columns are for programs: JSON and Parquet have them, text formats only if they are named. A
    column `on_request` is measured and shown only if it is named, or with `--columns all`.
    """

    name: str
    dtype: Kind
    meaning: str
    unit: str = ""
    source: str = ""
    shown: bool = False
    option: str = ""
    of: str = ""  # for a statistic over tensors, the column that it is computed from
    version: int = 1
    error: str = ""
    machine: bool = False
    on_request: bool = False

    @property
    def null_of(self) -> str:
        """The column that this one is the null expectation of; "" for any other column.

        >>> Column("row_spread_null_median", "float", "under the null").null_of
        'row_spread_median'
        """
        if "_null" not in self.name:
            return ""
        return self.name.replace("_null", "", 1)

    def shown_if(self, shown: bool) -> Column:
        """The column, part of the compact table or not; a table has hundreds that stay the same.

        >>> Column("std", "float", "spread").shown_if(True).shown
        True
        """
        if shown == self.shown:
            return self
        return replace(self, shown=shown)

    def suffixed(self, suffix: str, meaning: str) -> Column:
        """A statistic of this column over tensors (`std_median`): same version, no standard error.

        >>> beta = Column("beta", "float", "shape", version=2, error="beta_se")
        >>> least = beta.suffixed("_min", "least of")
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


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the main table; a Block has rows of the others.

    `unmeasured` names its tensors that were read without a result; `notes` are the records behind
    the columns `note` and `note_codes`.
    """

    values: Mapping[str, object]
    unmeasured: tuple[str, ...] = ()
    notes: Notes = ()


@dataclass(frozen=True)
class Message:
    """A sentence for people, before the table or after it; provenance keeps it under `key`."""

    text: str
    after: bool = False
    key: str = ""


@dataclass(frozen=True, eq=False)
class Curve:
    """A labelled curve of a panel: x and y are float sequences of equal length."""

    label: str
    x: Any
    y: Any
    style: str = "line"  # line | points | steps


@dataclass(frozen=True, eq=False)
class Panel:
    """The numbers behind one picture: curves with axis names; plain arrays, no matplotlib.

    It belongs to every row whose columns have the values `of`, to all rows if `of` is empty, and is
    drawn if one of them is shown. `values` describe its tensor in a plot over all panels. `note` is
    the reason why there are no curves.
    """

    title: str
    kind: (
        str  # which picture draws it: density, spectrum, outliers, change, coupling, depth, frames
    )
    xlabel: str = ""
    ylabel: str = ""
    curves: tuple[Curve, ...] = ()
    marks: Mapping[str, float] = field(default_factory=dict)
    of: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


def titled(of: Mapping[str, object]) -> str:
    """A title from the values that identify a row, each once.

    >>> titled({"source": "a.pt", "role": "norm", "kind": "norm"})
    'a.pt: norm'
    >>> titled({"stack": None, "layer": 3, "kind": "conv"})
    'layer 3 conv'
    >>> titled({"role": "conv", "slot": "2", "layer": 3, "statistic": "std"})
    'conv[2] layer 3 std'
    >>> titled({"source": "a.pt"})
    'a.pt'
    """
    source = ""
    words = []
    for key, value in of.items():
        if value is None:
            continue
        if key == "source":
            source = str(value)
        elif key == "layer":
            words.append(f"layer {value}")
        elif key == "part" and words:
            words[-1] += f".{value}"
        elif key == "slot" and words:
            words[-1] += f"[{value}]"
        else:
            words.append(str(value))
    name = " ".join(dict.fromkeys(words))  # role and kind may be the same word
    return ": ".join(part for part in (source, name) if part)


@dataclass(frozen=True, eq=False)
class Block:
    """Many rows of a named table: arrays of equal length, and values that all rows share."""

    arrays: Mapping[str, Any]
    shared: Mapping[str, object]
    table: str
    columns: tuple[Column, ...]

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        columns = [array.tolist() for array in self.arrays.values()]
        for values in zip(*columns, strict=True):
            row = dict(zip(self.arrays, values, strict=True))
            yield {**self.shared, **row}


Found = Row | Panel | Block | Message  # what the generator of an analysis yields
