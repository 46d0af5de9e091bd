"""The columns of `outliers`, and which option brings those that are absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...columns import Column
from ..rows import SOURCE, TENSOR, keys_of, of_groups, of_tensors, with_spread
from .base import AGAINST
from .extremes import ROWS, WEIGHTS
from .findings import FOUND, GRAVITY, SEVERITY
from .options import OutliersOptions
from .request import statistics
from .twins import TWIN

JUDGED = (SEVERITY, FOUND, GRAVITY)


def columns(o: OutliersOptions) -> tuple[Column, ...]:
    """Findings first, then what they rest on."""
    if o.lists:
        return (*((SOURCE,) if o.several else ()), TENSOR[0], *(WEIGHTS if o.top else ROWS))
    if o.by != "tensor":
        return of_groups((*JUDGED, *_shown(with_spread(statistics(o)))), o.several, o.by)
    against = AGAINST if o.base else ()
    own = _shown((*(c for s in statistics(o) for c in s.columns), TWIN, *against))
    return of_tensors((*JUDGED, *own), o.several)


def _shown(columns: Sequence[Column]) -> tuple[Column, ...]:
    """On a terminal what an option brought stands in place of the usual readings, for which no room would be left."""
    brought = any(c.option for c in columns)
    return tuple(replace(c, shown=c.shown and (bool(c.option) or not brought)) for c in columns)


def optional(o: OutliersOptions) -> Mapping[str, str]:
    """Columns that another option would bring."""
    single = "a run without --top and --top-rows" if o.lists else "--by tensor"
    full = OutliersOptions(quant=("all",), base="base")
    of_groups = (*keys_of("role"), *keys_of("layer"), *with_spread(statistics(full)))
    return (
        {c.name: "--by role" if o.by == "tensor" else c.option or single for c in of_groups}
        | {c.name: c.option or single for c in columns(full)}
        | {c.name: "--top" for c in WEIGHTS}
        | {c.name: "--top-rows" for c in ROWS if c.name == "rms"}
        | {"source": "several MODELs"}
    )
