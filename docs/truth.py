"""The page of results of `make truth`: counts, and the largest error of each column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

HEADS = ("column", "cells", "of them null", "not compared", "largest error", "in bins", "wrong")
TEXT = """\
`make truth` writes {constructed} constructed tensors (laws, lattices, dead and duplicate lines,
low rank, NaN and Inf, tiny shapes and vectors, six stored types) and reads the {demo} of
`demo:gpt`. The command line measures them, and code of its own in numpy and scipy, under
`tests/truth`, computes each column again from its [definition](../statistics.md), without any
module of the program. A seeded tenth of it belongs to `make test`. Of {cells} cells {wrong} differ
by more than the tolerance of their column.

The largest error of numbers is relative: |shown - second| over |second|, or over a unit of the
column where the value may be near 0 (1 for kurtosis and correlations, the std for the mean). Words,
counts and nulls must be equal. `in bins` is the error where float32 values are counted in bins,
tensors of more than 65,536 weights. Cells are not compared where the second definition does not
cover them: an excess of zeros, starts of a tail that are equal up to rounding, bins that are wide
beside the std."""


TAIL_HEADS = (
    "squared singular values",
    "tails",
    "`power_law`",
    "`undecided`",
    "another law",
    "note against a power law",
)
TAILS = """\
Diagonal matrices of 100, 200 and 400 squared singular values with a known law, measured by
`weightscope spectrum`: [`alpha_law`](../statistics.md#the-law-of-the-tail) of those whose fitted
tail has 50 values or more."""


def tail_row(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells of the table of `alpha_law` for a law."""
    total, labels = record["tails"], record["labels"]
    named = labels.get("power_law", 0)
    undecided = labels.get("undecided", 0)
    counts = (named, undecided, total - named - undecided, record["noted"])
    shares = [f"{count} ({count / total:.0%})" for count in counts]
    return (record["law"], str(total), *shares)


def introduction(stored: Mapping[str, Any]) -> Iterator[str]:
    """What was compared, and how."""
    counts = [record for records in stored["commands"].values() for record in records]
    cells = sum(record.get("compared", 0) for record in counts)
    wrong = sum(record.get("wrong", 0) for record in counts)
    yield TEXT.format(cells=f"{cells:,}", wrong=wrong, **stored["tensors"])


def row(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells of the table for a column."""
    name = f"`{record['column']}`"
    if "reason" in record:
        return (name, "", "", "", record["reason"], "", "")
    wrong = str(record["wrong"])
    if record["wrong"] and "pending" in record:
        wrong += f": {record['pending']}"
    return (
        name,
        str(record["compared"]),
        str(record["nulls"]),
        str(record["left_out"]),
        _error(record["largest"]),
        _error(record.get("largest_wide")),
        wrong,
    )


def _error(error: float | None) -> str:
    if error is None:
        return ""
    return f"{error:.1g}" if error else "0"
