"""The columns of `spectrum`, and which option brings those that are absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...columns import Column
from ...statistics.spectra import against
from ...statistics.statistic import Evidence, Statistic
from ..rows import TENSOR, keys_of, of_groups, of_tensors, with_spread
from .matrices import SIDES
from .options import SpectrumOptions
from .request import statistics

GIVE_WAY = ("row_spread", "effective_depth")


def own_columns(o: SpectrumOptions) -> tuple[Column, ...]:
    """Sides and statistics with their nulls."""
    hidden = GIVE_WAY if o.balance else ()
    every = (*SIDES, *(c for s in statistics(o) for c in s.columns))
    asked = [replace(c, shown=c.shown and c.name not in hidden) for c in every]
    return against(asked, o.draws) if o.null else tuple(asked)


def columns(o: SpectrumOptions) -> tuple[Column, ...]:
    """Identity, statistics with their nulls, note."""
    own = own_columns(o)
    if o.by != "tensor":
        around = with_spread([Statistic(own, frozenset({o.measure}), _nothing)])
        return of_groups(around, o.several, o.by)
    sides = (
        () if o.null else ("m", "n") if o.per_head else ("shape",)
    )  # a head's, not stored; nulls need the room
    return of_tensors((replace(c, shown=c.shown or c.name in sides) for c in own), o.several, sides)


def _nothing(evidence: Evidence) -> Mapping[str, object]:
    return {}


def optional(o: SpectrumOptions) -> Mapping[str, str]:
    """Columns that another option would bring."""
    full, alone = (
        SpectrumOptions(balance=True, alpha_ci=True, null="shuffle", draws=2),
        o.by == "tensor",
    )
    of_groups = (*columns(replace(full, by="role")), *keys_of("layer"))
    return (
        {c.name: (not alone and _missing(c, o)) or "--by role" for c in of_groups}
        | {c.name: "--by tensor" for c in TENSOR}
        | {c.name: (alone and _missing(c, o)) or "--by tensor" for c in columns(full)}
        | {"source": "several MODELs"}
    )


def _missing(column: Column, o: SpectrumOptions) -> str:
    """What a column lacks that is not there: with --null its ends lack --draws."""
    return "--draws" if o.null and column.option == "--null" else column.option
