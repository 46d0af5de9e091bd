"""Moments and L-moments of counted cells, robust scale and special values.

Mean, std, skew and kurtosis come from the exact power sums, never from cells. L-moments come from the cells: where
cells are exact values they equal those of the expanded sample, in wide bins they use the middle of the bin (2^-8 of a
value at most).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note, united
from ...sketches import Count, ValueCounts
from ...sketches.quantiles import resolved, robust_std
from ..statistic import Evidence, Statistic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...geometry import Shape

BEYOND = Note(
    "overflow-squared", "squares leave float64: no std"
)  # of values about 1e155 or 1e-146
EMPTY = Note("no-elements", "no elements")
WIDE = Note("wide-bins", "bins too wide beside the spread: no quantiles")
COLUMNS = (
    Column("mean", "float", "mean of the finite values", "weight", "numpy.mean"),
    Column("std", "float", "population standard deviation", "weight", "numpy.std", shown=True),
    Column("skew", "float", "third standardised moment", "", "scipy.stats.skew"),
    Column("kurtosis", "float", "excess kurtosis (Gaussian: 0)", "", "scipy.stats.kurtosis"),
    Column(
        "l_kurtosis",
        "float",
        "L-kurtosis, fourth L-moment ratio (Gaussian: 0.1226)",
        "",
        "Hosking 1990",
    ),
    Column("robust_std", "float", "interquartile range / 1.349", "weight", ""),
    Column("min", "float", "least finite value", "weight"),
    Column("max", "float", "greatest finite value", "weight"),
    Column("zeros", "int", "exact zeros, +0 and -0"),
    Column("nan", "int", "NaN values"),
    Column("inf", "int", "infinite values, both signs"),
    Column(
        "distinct",
        "int",
        "distinct finite values; null beyond 65,536, of larger F32 and F64 tensors beyond 4,096",
    ),
)


def moments(counts: ValueCounts) -> Mapping[str, float | None]:
    """Mean, population std, skew m3/m2^1.5, excess kurtosis m4/m2^2 - 3, min and max of the finite values.

    A constant has std 0 and neither skew nor kurtosis; what has squares beyond float64 has no std either. Equals
    numpy.mean, numpy.std, scipy.stats.skew and kurtosis.
    """
    if not counts.n:
        return dict.fromkeys(("mean", "std", "skew", "kurtosis", "min", "max"))
    power, varies = counts.power, counts.minimum < counts.maximum
    return {
        "mean": _number(counts.mean),
        "std": _number(counts.std),
        "skew": _number(power.skew) if varies else None,
        "kurtosis": _number(power.kurtosis) if varies else None,
        "min": counts.minimum,
        "max": counts.maximum,
    }


def l_kurtosis(counts: ValueCounts) -> float | None:
    """L-kurtosis l4/l2 (Gaussian: 0.1226), from the unbiased probability-weighted moments of the sample.

    With x the cells in order, A_i the weights up to cell i and G_r = C(A, r+1)/C(N, r+1), summing by parts gives
    l2 = sum dx (G_0 - G_1) and l4 = sum dx (G_0 - 6 G_1 + 10 G_2 - 5 G_3); None below 4 weights or for a constant.
    """
    n = int(counts.counts.sum())
    if n < 4 or not resolved(counts):
        return None
    a = np.cumsum(counts.counts)[:-1].astype(np.float64)
    dx = np.diff(counts.value)
    g0 = a / n
    g1 = g0 * (a - 1) / (n - 1)
    g2 = g1 * (a - 2) / (n - 2)
    g3 = g2 * (a - 3) / (n - 3)
    l2, l4 = dot(dx, g0 - g1), dot(dx, g0 - 6 * g1 + 10 * g2 - 5 * g3)
    return l4 / l2 if l2 > 0 else None


def dot(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Sum of products, the same on any number of threads: `a @ b` rounds by how many BLAS takes, and waits for them."""
    return float((a * b).sum())


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _of(evidence: Evidence) -> Mapping[str, object]:
    counts = evidence.sketches[Count()]
    special = {name: getattr(counts, name) for name in ("zeros", "nan", "inf")}
    notes = (
        None if counts.n + counts.nan + counts.inf else EMPTY,
        nonfinite(counts, evidence.shape),
        _noncanonical(counts.noncanonical),
        None if resolved(counts) else WIDE,
    )
    return {
        **moments(counts),
        **special,
        "l_kurtosis": l_kurtosis(counts),
        "robust_std": robust_std(counts),
        "distinct": counts.distinct,
        "notes": united(*notes),
    }


def nonfinite(counts: ValueCounts, shape: Shape | None) -> Note | None:
    """How many NaN and Inf there are, and where the first stands."""
    kinds = ((counts.nan, "{nan:,} NaN"), (counts.inf, "{inf:,} Inf"))
    odd = " and ".join(text for n, text in kinds if n)
    if not odd:
        return None
    where, place = _place(counts, shape)
    template = f"{odd}{where}: statistics of the finite values"
    return Note.of(
        "non-finite", template, tensor="", rows=(), nan=counts.nan, inf=counts.inf, **place
    )


def _place(counts: ValueCounts, shape: Shape | None) -> tuple[str, dict[str, int]]:
    """Row and column from 0, of a vector its one index; nothing where tensors were pooled."""
    if counts.first_nonfinite is None or shape is None:
        return "", {}
    row, column = counts.first_nonfinite
    first = " at" if counts.nan + counts.inf == 1 else ", the first at"
    if min(shape) > 1:
        return f"{first} row {{row}}, column {{column}}", {"row": row, "column": column}
    return f"{first} index {{index}}", {"index": max(row, column)}


def _noncanonical(n: int) -> Note | None:
    """BOOL bytes that every measure takes as true."""
    which = "{n:,} BOOL byte is" if n == 1 else "{n:,} BOOL bytes are"
    return Note.of("bool-bytes", f"{which} neither 0 nor 1: counted as true", n=n) if n else None


MOMENTS = Statistic(COLUMNS, frozenset({Count()}), _of, pools=True)
