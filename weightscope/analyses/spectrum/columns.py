"""The columns of `spectrum`, and the option that adds each absent one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...columns import Column
from ...statistics.spectra import with_null_columns
from ...statistics.statistic import Evidence, Statistic
from ..rows import TENSOR, keys_of, of_groups, of_tensors, with_spread
from .matrices import SIDES
from .options import SpectrumOptions
from .request import statistics

# hidden in a terminal with --balance, whose columns need their width
GIVE_WAY = ("row_spread", "effective_depth")


def own_columns(o: SpectrumOptions) -> tuple[Column, ...]:
    """Sides and statistics with their nulls."""
    measured = list(SIDES)
    for statistic in statistics(o):
        measured.extend(statistic.columns)
    if o.balance:
        measured = [c.shown_if(c.shown and c.name not in GIVE_WAY) for c in measured]
    if o.null:
        return with_null_columns(measured, o.draws)
    return tuple(measured)


def columns(o: SpectrumOptions) -> tuple[Column, ...]:
    """Identity, statistics with their nulls, note."""
    measured = own_columns(o)
    if o.by != "tensor":
        statistic = Statistic(measured, frozenset({o.measure}), _nothing)
        return of_groups(with_spread([statistic]), o.several, o.by)
    sides = _sides_shown(o)
    shown = (c.shown_if(c.shown or c.name in sides) for c in measured)
    return of_tensors(shown, o.several, sides)


def _sides_shown(o: SpectrumOptions) -> tuple[str, ...]:
    """The columns of a terminal that state the size of a matrix."""
    if o.null:
        return ()  # the nulls need their width
    if o.per_head:
        return ("m", "n")  # `shape` is that of the stored tensor, not of the head
    return ("shape",)


def _nothing(evidence: Evidence) -> Mapping[str, object]:
    return {}


def optional(o: SpectrumOptions) -> Mapping[str, str]:
    """The option that would add each absent column."""
    full = SpectrumOptions(balance=True, alpha_ci=True, null="shuffle", draws=2)
    of_group = (*columns(replace(full, by="role")), *keys_of("layer"))
    of_tensor = (*TENSOR, *columns(full))
    options = {column.name: "--by role" for column in of_group}
    if o.by != "tensor":
        options |= _missing(of_group, o)
    options |= {column.name: "--by tensor" for column in of_tensor}
    if o.by == "tensor":
        options |= _missing(of_tensor, o)
    options["source"] = "several MODELs"
    return options


def _missing(columns: Sequence[Column], o: SpectrumOptions) -> Mapping[str, str]:
    """The option of each column that has one."""
    options: dict[str, str] = {}
    for column in columns:
        option = column.option
        if o.null and option == "--null":
            option = "--draws"  # absent beside --null: the percentiles of several matrices
        if option:
            options[column.name] = option
    return options
