"""The columns of a series: the step and what it is compared with, then those of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ....columns import INDEX, MODEL, Column
from .. import columns as of_pair
from ..options import CompareOptions

FIRST, PREVIOUS = "first", "previous"
STEP = Column(
    "step",
    "int",
    "last number in the name of the MODEL where all have one and they rise, else 0, 1, 2",
    INDEX,
    shown=True,
)
AGAINST = Column(
    "against",
    "str",
    "first or previous: what the step is compared with; the second MODEL has one row, first",
    shown=True,
)
OF_SERIES = (Column("source", "str", "the MODEL of the step, as given", MODEL), STEP, AGAINST)


def columns(o: CompareOptions) -> tuple[Column, ...]:
    """Source, step, against, then the columns of a comparison of two."""
    return (*OF_SERIES, *of_pair.columns(o))


def optional(o: CompareOptions) -> Mapping[str, str]:
    """Columns that another option would add."""
    return of_pair.optional(replace(o, models=2))
