"""The columns of `compare`, and the option that adds each column that a run lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from ...columns import Column
from ...statistics.pairs.changes import STATUS_COLUMN
from ..rows import CODES, KIND, NOTE, SIZES, TENSOR, keys_of, with_spread
from ..rows import KEYS as KEYS_BY
from .lineage.columns import INDEPENDENCE, MATCHED, RULE
from .options import CompareOptions
from .request import COUNTED, statistics
from .top import COLUMNS as OF_TOP

RELATION = Column(
    "relation",
    "str",
    "related, undecided or unrelated: of all matrices of A and B; null without a pair of them",
)
CHANGE = Column(
    "change",
    "str",
    "identical, retyped, low_rank, few_rows, targeted, broad, retrained, other_architecture or "
    "undecided: of all tensors of the role or group",
)
TENSOR_B = Column("tensor_b", "str", "the name in B where it differs")
COUNTS = tuple(
    Column(name, "int", f"tensors that are {name}", shown=name == "changed") for name in COUNTED
)
SIDED = ("shape", "dtype")  # columns of a piece that A and B have each


@lru_cache(maxsize=64)  # a run asks for them three times
def columns(o: CompareOptions) -> tuple[Column, ...]:
    """Identity, status, kind of change, statistics, note."""
    if o.top:
        return (TENSOR[0], *OF_TOP)
    if o.by != "tensor":
        keys = tuple(replace(c, shown=c.shown and c.name != "params") for c in keys_of(o.by))
        spread = with_spread(statistics(o))
        return (*keys, *COUNTS, RELATION, CHANGE, *spread, NOTE, CODES)
    of_statistics = [column for statistic in statistics(o) for column in statistic.columns]
    unique = {column.name: column for column in reversed(of_statistics)}
    ordered = [unique.pop(column.name) for column in of_statistics if column.name in unique]
    found: tuple[Column, ...] = (RULE, *MATCHED)
    if o.lineage:
        found = (replace(RULE, shown=True), *MATCHED, INDEPENDENCE)
    return (*_identity(), STATUS_COLUMN, RELATION, CHANGE, *found, *ordered, NOTE, CODES)


def _identity() -> tuple[Column, ...]:
    """The columns of a piece, of A and B where they may differ; a terminal shows the name."""
    identity: list[Column] = []
    for column in TENSOR:
        if column.name in SIDED:
            for side in ("a", "b"):
                named = replace(column, name=f"{column.name}_{side}", shown=False)
                identity.append(replace(named, meaning=f"{column.meaning}, of {side.upper()}"))
            continue
        identity.append(replace(column, shown=column.name == "tensor"))
        if column.name == "tensor":
            identity.append(TENSOR_B)
    return tuple(identity)


@lru_cache(maxsize=64)
def optional(o: CompareOptions) -> Mapping[str, str]:
    """Columns that another option would add."""
    everything = CompareOptions(spectrum=True, lineage=True)
    by_role = columns(replace(everything, by="role"))
    by_layer = (*KEYS_BY["layer"], KIND, *SIZES)
    option: dict[str, str] = {}
    for column in (*by_role, *by_layer):
        option[column.name] = column.option or "--by role"
    for column in columns(everything):
        option[column.name] = column.option or "--by tensor"
    for column in OF_TOP:
        option[column.name] = "--top"
    return option
