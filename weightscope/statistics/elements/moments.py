"""Moments and L-moments of counted cells, robust scale and special values.

Mean, std, skew and kurtosis come from the exact power sums, never from cells. L-moments come from
the cells: where cells are exact values they equal those of the expanded sample, of wide bins they
use the middle of the bin (2^-8 of a value at most).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf, isfinite, sqrt
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
    "overflow-squared",
    "values overflow or underflow when squared (above 1e154, below 1e-145): "
    "std and dependent columns are null",
)
EMPTY = Note("no-elements", "no elements")
WIDE = Note(
    "wide-bins", "bins are too wide for the spread of the values: quantile statistics are null"
)
COLUMNS = (
    Column("mean", "float", "mean of the finite values", "weight", "numpy.mean"),
    Column(
        "std",
        "float",
        "population standard deviation",
        "weight",
        "numpy.std",
        shown=True,
        error="std_se",
    ),
    Column(
        "std_se",
        "float",
        "standard error of std, std sqrt((kurtosis + 2)/(4N))",
        "weight",
        on_request=True,
    ),
    Column("skew", "float", "third standardised moment", "", "scipy.stats.skew"),
    Column(
        "kurtosis",
        "float",
        "excess kurtosis (Gaussian: 0)",
        "",
        "scipy.stats.kurtosis",
        error="kurtosis_se",
    ),
    Column(
        "kurtosis_se",
        "float",
        "standard error of the kurtosis of N Gaussian values, sqrt(24/N)",
        on_request=True,
    ),
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
    """Mean, population std, skew m3/m2^1.5, excess kurtosis m4/m2^2 - 3, min, max of finite values.

    A constant has std 0 and neither skew nor kurtosis; std is None where squares overflow or
    underflow. Equals numpy.mean, numpy.std, scipy.stats.skew and kurtosis.
    """
    if not counts.n:
        return dict.fromkeys(("mean", "std", "skew", "kurtosis", "min", "max"))
    # The power sums of a constant hold rounding, whose ratios would look like a shape.
    skew = kurtosis = None
    if counts.minimum < counts.maximum:
        skew = _finite(counts.power.skew)
        kurtosis = _finite(counts.power.kurtosis)
    return {
        "mean": _finite(counts.mean),
        "std": _finite(counts.std),
        "skew": skew,
        "kurtosis": kurtosis,
        "min": counts.minimum,
        "max": counts.maximum,
    }


def standard_errors(n: int, std: float | None, kurtosis: float | None) -> Mapping[str, object]:
    """`std_se` and `kurtosis_se` of n values: null where std or kurtosis is.

    The first holds for any law with four moments, the second for a Gaussian.

    >>> standard_errors(24, 1.0, 0.0)["kurtosis_se"]
    1.0
    """
    if std == 0:  # of a constant, exactly
        return {"std_se": 0.0, "kurtosis_se": None}
    if std is None or kurtosis is None:
        return {"std_se": None, "kurtosis_se": None}
    variance = max(
        kurtosis + 2, 0.0
    )  # of squares; 0 for two values, and rounding may take it below
    return {"std_se": std * sqrt(variance / (4 * n)), "kurtosis_se": sqrt(24 / n)}


def _finite(value: float) -> float | None:
    """The value, None for NaN and Inf."""
    if np.isfinite(value):
        return value
    return None


def l_kurtosis(counts: ValueCounts) -> float | None:
    """L-kurtosis l4/l2 (Gaussian: 0.1226), from unbiased probability-weighted moments.

    With x the cells in order, A_i the weights up to cell i and G_r = C(A, r+1)/C(N, r+1), summing
    by parts gives l2 = sum dx (G_0 - G_1) and l4 = sum dx (G_0 - 6 G_1 + 10 G_2 - 5 G_3); None
    below 4 weights or for a constant.
    """
    n = int(counts.counts.sum())
    if n < 4 or not resolved(counts):
        return None
    a = np.cumsum(counts.counts)[:-1].astype(np.float64)  # (cells - 1,): one per gap dx
    with np.errstate(over="ignore"):  # between -1e308 and 1e308
        dx = np.diff(counts.value)
    # products of ratios, since the binomials themselves overflow
    g0 = a / n
    g1 = g0 * (a - 1) / (n - 1)
    g2 = g1 * (a - 2) / (n - 2)
    g3 = g2 * (a - 3) / (n - 3)
    l2 = dot(dx, g0 - g1)
    l4 = dot(dx, g0 - 6 * g1 + 10 * g2 - 5 * g3)
    if 0 < l2 < inf and isfinite(l4):
        return l4 / l2
    return None


def dot(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Sum of products, rounded alike on any number of threads.

    `a @ b` rounds by the number of threads that BLAS takes, and waits for them.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return float((a * b).sum())


def _moment_columns(evidence: Evidence) -> Mapping[str, object]:
    counts = evidence.sketches[Count()]
    of_powers = moments(counts)
    return {
        **of_powers,
        **standard_errors(counts.n, of_powers["std"], of_powers["kurtosis"]),
        "zeros": counts.zeros,
        "nan": counts.nan,
        "inf": counts.inf,
        "l_kurtosis": l_kurtosis(counts),
        "robust_std": robust_std(counts),
        "distinct": counts.distinct,
        "notes": united(*_notes(counts, evidence.shape)),
    }


def _notes(counts: ValueCounts, shape: Shape | None) -> Iterator[Note | None]:
    if counts.n + counts.nan + counts.inf == 0:
        yield EMPTY
    yield nonfinite(counts, shape)
    yield _noncanonical(counts.noncanonical)
    if not resolved(counts):
        yield WIDE


def nonfinite(counts: ValueCounts, shape: Shape | None) -> Note | None:
    """Counts of NaN and Inf, and the position of the first."""
    parts = []
    if counts.nan:
        parts.append("{nan:,} NaN")
    if counts.inf:
        parts.append("{inf:,} Inf")
    if not parts:
        return None
    where, position = _first_position(counts, shape)
    template = " and ".join(parts) + f"{where}: statistics of the finite values"
    return Note.of(
        "non-finite", template, tensor="", rows=(), nan=counts.nan, inf=counts.inf, **position
    )


def _first_position(counts: ValueCounts, shape: Shape | None) -> tuple[str, dict[str, int]]:
    """Row and column from 0, of a vector its one index; nothing where tensors were pooled."""
    if counts.first_nonfinite is None or shape is None:
        return "", {}
    row, column = counts.first_nonfinite
    at = ", the first at"
    if counts.nan + counts.inf == 1:
        at = " at"
    if min(shape) > 1:
        return f"{at} row {{row}}, column {{column}}", {"row": row, "column": column}
    return f"{at} index {{index}}", {"index": max(row, column)}


def _noncanonical(n: int) -> Note | None:
    """BOOL bytes that every measure counts as true."""
    if n == 0:
        return None
    noun = "BOOL bytes are"
    if n == 1:
        noun = "BOOL byte is"
    return Note.of("bool-bytes", f"{{n:,}} {noun} neither 0 nor 1: counted as true", n=n)


MOMENTS = Statistic(COLUMNS, frozenset({Count()}), _moment_columns, pools=True)
