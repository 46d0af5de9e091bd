"""The columns of `outliers`, and the option that adds each column that a run lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...columns import Column
from ..rows import TENSOR, keys_of, of_groups, of_tensors, source_columns, with_spread
from .base import AGAINST
from .duplicates import DUPLICATE
from .extremes import ROWS, WEIGHTS
from .options import OutliersOptions
from .request import statistics
from .severities import IDS, RANK, SEVERITY

JUDGED = (SEVERITY, IDS, RANK)


def columns(o: OutliersOptions) -> tuple[Column, ...]:
    """Findings first, then the statistics behind them."""
    if o.lists:
        source = source_columns(o.several)
        listed = WEIGHTS if o.top else ROWS
        return (*source, TENSOR[0], *listed)
    if o.by != "tensor":
        spread = _shown(with_spread(statistics(o)))
        return of_groups((*JUDGED, *spread), o.several, o.by)
    of_statistics = [column for statistic in statistics(o) for column in statistic.columns]
    against = AGAINST if o.base else ()
    shown = _shown((*of_statistics, DUPLICATE, *against))
    return of_tensors((*JUDGED, *shown), o.several)


def _shown(columns: Sequence[Column]) -> tuple[Column, ...]:
    """On a terminal, columns added by an option replace the usual ones, for lack of room."""
    if not any(column.option for column in columns):
        return tuple(columns)
    return tuple(column.shown_if(column.shown and bool(column.option)) for column in columns)


def optional(o: OutliersOptions) -> Mapping[str, str]:
    """Columns that another option would add."""
    single = "a run without --top and --top-rows" if o.lists else "--by tensor"
    everything = OutliersOptions(quant=("all",), base="base")  # columns of every option
    of_groups = (*keys_of("role"), *keys_of("layer"), *with_spread(statistics(everything)))
    option: dict[str, str] = {}
    # Later entries replace earlier ones: a column that groups and tensors have belongs to tensors.
    for column in of_groups:
        option[column.name] = column.option or single
        if o.by == "tensor":
            option[column.name] = "--by role"
    for column in columns(everything):
        option[column.name] = column.option or single
    for column in WEIGHTS:
        option[column.name] = "--top"
    option["rms"] = "--top-rows"
    option["source"] = "several MODELs"
    return option
