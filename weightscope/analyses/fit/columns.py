"""The columns of `fit`, and which option brings those that are absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...columns import Column
from ...statistics.statistic import Statistic
from ..rows import CODES, NOTE, SOURCE, TENSOR, keys_of, of_groups, of_tensors, with_spread
from .long import LONG
from .options import FitOptions
from .picture import HISTOGRAM
from .request import statistics

GIVE_WAY = ("best", "pattern", "row_spread")


def columns(o: FitOptions) -> tuple[Column, ...]:
    """Identity, statistics, note."""
    drawn = (HISTOGRAM,) if o.histogram and not o.long else ()
    asked = tuple(_beside(s, o) for s in statistics(o))
    if o.by != "tensor":
        return of_groups((*drawn, *(LONG if o.long else with_spread(asked))), o.several, o.by)
    if o.long:
        return (*((SOURCE,) if o.several else ()), TENSOR[0], *LONG, NOTE, CODES)
    return of_tensors((*drawn, *(c for s in asked for c in s.columns)), o.several)


def _beside(statistic: Statistic, o: FitOptions) -> Statistic:
    """With --balance a terminal's width goes to beta, balanced beta and its null, side by side."""
    hidden = GIVE_WAY if o.balance else ()
    shown = (replace(c, shown=c.shown and c.name not in hidden) for c in statistic.columns)
    return replace(statistic, columns=tuple(shown))


def optional(o: FitOptions) -> Mapping[str, str]:
    """Columns that another option would bring."""
    single = "a run without --long" if o.long else "--by tensor"
    own = [c for s in statistics(FitOptions(balance=True, coding=True)) for c in s.columns]
    grouped_by = (*keys_of("role"), *keys_of("layer"), *with_spread(statistics(FitOptions())))
    return (
        {c.name: "--by role" for c in grouped_by}
        | {c.name: "--long" for c in LONG}
        | {c.name: single for c in TENSOR}
        | {c.name: c.option or single for c in own}
        | {"source": "several MODELs"}
    )
