"""The columns of a set: two tunings and their task vectors; with --mix a tuning and its share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ....columns import MODEL, Column
from ....statistics.pairs.sets import DIRECTIONS, OVERLAPS, mix_of
from ....statistics.statistic import Statistic
from ...rows import CODES, NOTE, TENSOR, keys_of, with_spread
from .. import columns as of_pair
from ..options import MIX, CompareOptions

TWO = (
    Column("a", "str", "the first of two tunings, as given", MODEL, shown=True),
    Column("b", "str", "the second", MODEL, shown=True),
)
ONE = (Column("a", "str", "the tuning that is a source of the merge, as given", MODEL, shown=True),)

WITHOUT = "a run without --set"


def columns(o: CompareOptions) -> tuple[Column, ...]:
    """Identity or keys of a group, the tunings, statistics, notes."""
    tunings = ONE if o.mode == MIX else TWO
    statistics = statistics_of(o)
    if o.by == "tensor":
        identity = [replace(column, shown=column.name == "tensor") for column in TENSOR]
        of_statistics = [column for statistic in statistics for column in statistic.columns]
        return (*identity, *tunings, *of_statistics, NOTE, CODES)
    keys = [replace(c, shown=c.shown and c.name != "params") for c in keys_of(o.by)]
    return (*keys, *tunings, *with_spread(statistics), NOTE, CODES)


def statistics_of(o: CompareOptions, index: int = 0) -> tuple[Statistic, ...]:
    """Of two tunings; with --mix of the tuning with this index."""
    if o.mode == MIX:
        return (mix_of(index),)
    return (DIRECTIONS, OVERLAPS)


def optional(o: CompareOptions) -> Mapping[str, str]:
    """Columns of other ways to compare, by how they are asked for."""
    without = replace(o, set=False, mix=False, models=2)
    absent = dict.fromkeys(of_pair.optional(without), WITHOUT)
    absent |= dict.fromkeys(_names(of_pair.columns(without)), WITHOUT)
    absent |= dict.fromkeys(_names(columns(replace(o, mix=not o.mix))), _other(o))
    by = "role" if o.by == "tensor" else "tensor"
    absent |= dict.fromkeys(_names(columns(replace(o, by=by))), f"--by {by}")
    return absent


def _names(declared: tuple[Column, ...]) -> list[str]:
    return [column.name for column in declared]


def _other(o: CompareOptions) -> str:
    return "a run without --mix" if o.mix else "--mix"
