"""Columns of moments, robust scale and special values: all from ValueCounts."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...geometry import Shape
from ...sketches import Count, ValueCounts
from ...sketches.quantiles import resolved, robust_std
from ..moments import l_kurtosis, moments
from ..statistic import Evidence, Statistic

COLUMNS = (
    Column("mean", "float", "mean of the finite values", "weight", "numpy.mean"),
    Column("std", "float", "population standard deviation", "weight", "numpy.std", shown=True),
    Column("skew", "float", "third standardised moment", "", "scipy.stats.skew"),
    Column("kurtosis", "float", "excess kurtosis (Gaussian: 0)", "", "scipy.stats.kurtosis"),
    Column("l_kurtosis", "float", "L-kurtosis, fourth L-moment ratio (Gaussian: 0.1226)", "", "Hosking 1990"),
    Column("robust_std", "float", "interquartile range / 1.349", "weight", ""),
    Column("min", "float", "least finite value", "weight"),
    Column("max", "float", "greatest finite value", "weight"),
    Column("zeros", "int", "exact zeros, +0 and -0"),
    Column("nan", "int", "NaN values"),
    Column("inf", "int", "infinite values, both signs"),
    Column("distinct", "int", "distinct finite values; null beyond 65,536, of larger F32 and F64 tensors beyond 4,096"),
)


def _of(evidence: Evidence) -> Mapping[str, object]:
    counts = evidence.sketches[Count()]
    special = {name: getattr(counts, name) for name in ("zeros", "nan", "inf")}
    notes = (
        "no elements" if not counts.n + counts.nan + counts.inf else "",
        nonfinite(counts, evidence.shape),
        _noncanonical(counts.noncanonical),
        "" if resolved(counts) else "bins too wide beside the spread: no quantiles",
    )
    return {
        **moments(counts),
        **special,
        "l_kurtosis": l_kurtosis(counts),
        "robust_std": robust_std(counts),
        "distinct": counts.distinct,
        "note": "; ".join(n for n in notes if n),
    }


def nonfinite(counts: ValueCounts, shape: Shape | None) -> str:
    """How many NaN and Inf there are, and where the first stands."""
    kinds = ((counts.nan, "NaN"), (counts.inf, "Inf"))
    odd = " and ".join(f"{n:,} {text}" for n, text in kinds if n)
    return f"{odd}{_place(counts, shape)}: statistics of the finite values" if odd else ""


def _place(counts: ValueCounts, shape: Shape | None) -> str:
    """Row and column from 0, of a vector its one index; nothing where tensors were pooled."""
    if counts.first_nonfinite is None or shape is None:
        return ""
    row, column = counts.first_nonfinite
    where = f"row {row}, column {column}" if min(shape) > 1 else f"index {max(row, column)}"
    return f" at {where}" if counts.nan + counts.inf == 1 else f", the first at {where}"


def _noncanonical(n: int) -> str:
    """BOOL bytes that every measure takes as true."""
    which = "1 BOOL byte is" if n == 1 else f"{n:,} BOOL bytes are"
    return f"{which} neither 0 nor 1: counted as true" if n else ""


MOMENTS = Statistic(COLUMNS, frozenset({Count()}), _of, pools=True)
