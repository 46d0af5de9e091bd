"""The columns of `fit`, and the option that adds each column that a run lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...columns import Column
from ...statistics.statistic import Statistic
from ..rows import CODES, NOTE, TENSOR, keys_of, of_groups, of_tensors, source_columns, with_spread
from .long import LONG
from .options import FitOptions
from .picture import HISTOGRAM
from .request import statistics

HIDDEN = ("best", "pattern", "row_spread")  # on a terminal, with --balance


def columns(o: FitOptions) -> tuple[Column, ...]:
    """Identity, statistics or laws, note."""
    if o.long:
        if o.by != "tensor":
            return of_groups(LONG, o.several, o.by)
        source = source_columns(o.several)
        return (*source, TENSOR[0], *LONG, NOTE, CODES)
    histogram = (HISTOGRAM,) if o.histogram else ()
    shown = [_shown(statistic, o) for statistic in statistics(o)]
    if o.by != "tensor":
        return of_groups((*histogram, *with_spread(shown)), o.several, o.by)
    of_statistics = [column for statistic in shown for column in statistic.columns]
    return of_tensors((*histogram, *of_statistics), o.several)


def _shown(statistic: Statistic, o: FitOptions) -> Statistic:
    """With --balance a terminal shows beta, balanced beta and its null next to each other."""
    if not o.balance:
        return statistic
    columns = (
        replace(column, shown=column.shown and column.name not in HIDDEN)
        for column in statistic.columns
    )
    return replace(statistic, columns=tuple(columns))


def optional(o: FitOptions) -> Mapping[str, str]:
    """Columns that another option would add."""
    single = "a run without --long" if o.long else "--by tensor"
    everything = FitOptions(balance=True, draws=2, coding=True)  # columns of every option
    of_groups = (*keys_of("role"), *keys_of("layer"), *with_spread(statistics(FitOptions())))
    option: dict[str, str] = {}
    # Later entries replace earlier ones: a column that groups and tensors have belongs to tensors.
    for column in of_groups:
        option[column.name] = "--by role"
    for column in LONG:
        option[column.name] = "--long"
    for column in TENSOR:
        option[column.name] = single
    for statistic in statistics(everything):
        for column in statistic.columns:
            option[column.name] = column.option or single
            if column.option == "--draws" and not o.balance:
                option[column.name] = "--balance --draws"
    option["source"] = "several MODELs"
    return option
