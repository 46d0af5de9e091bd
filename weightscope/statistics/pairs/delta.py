"""Norms, cosine, rotation and standard deviations of A, B and D = B - A, from one Gram matrix.

|B| - |A| = (2<A,D> + |D|^2)/(|A| + |B|) does not cancel, and neither do variances about the means:
all keep the digits of float64 down to relative changes of 1e-7.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite, log10, sqrt

from ...columns import Column
from ...notes import Note, united
from ...sketches.pair_record import TINY, PairMoments
from ..elements import MOMENTS as OF_ELEMENTS
from ..elements import SHAPE
from ..laws import BEST_LAW
from ..lines import IID
from ..score import score
from ..statistic import Evidence, Statistic, under
from . import labels

COLUMNS = (
    Column("delta_fro", "float", "|D|, Frobenius norm of B - A", "weight", "numpy.linalg.norm"),
    Column("relative", "float", "|D|/|A|; null where |A| is 0", "", shown=True),
    Column("cosine", "float", "<A, B>/(|A| |B|); null where a norm is 0", "", shown=True),
    Column("cosine_null", "float", "std of the cosine of independent tensors: 1/sqrt(N)"),
    Column("cosine_score", "float", "cosine/cosine_null"),
    Column("rotation", "float", "1 - cosine, 0 to 2, without cancellation", "", shown=True),
    Column("delta_absmax", "float", "largest |b - a|", "weight"),
    Column("delta_mean", "float", "mean of b - a", "weight", "numpy.mean"),
    Column("delta_std", "float", "population standard deviation of b - a", "weight", "numpy.std"),
    Column("sqnr_db", "float", "-20 log10(relative); null where nothing changed", "dB"),
    Column("std_a", "float", "population standard deviation of A", "weight", "numpy.std"),
    Column("std_b", "float", "population standard deviation of B", "weight", "numpy.std"),
    Column("std_ratio", "float", "std_b/std_a; null where std_a is 0", shown=True),
    Column(
        "delta_correlation",
        "float",
        "correlation of A and D: std_b^2 = std_a^2 + delta_std^2 "
        "+ 2 delta_correlation std_a delta_std",
        "",
        "numpy.corrcoef",
    ),
)
ZERO_A = Note("zero-norm", "A is 0 everywhere: relative, cosine and rotation are null")
ZERO_B = Note("zero-norm", "B is 0 everywhere: cosine and rotation are null")
OVERFLOW = Note(
    "overflow-squared",
    "values overflow or underflow when squared (above 1e154, below 1e-145): "
    "norms and dependent columns are null",
)


def delta(moments: PairMoments) -> Mapping[str, object]:
    """The columns from the moments of A and D over n pairs of finite elements.

    relative = |D|/|A|; rotation = (|D|^2 - (|B| - |A|)^2)/(2 |A| |B|), with the difference of
    norms above; cosine = 1 - rotation. Nulls where a norm is 0 or overflows.

    >>> pair = PairMoments(n=2, mean_a=1.0, s_dd=2.0, mean_b=1.0, s_bb=2.0)
    >>> delta(pair)["relative"]
    1.0
    """
    n = moments.n
    if not n:
        return {}
    norm_d = _norm(moments.dd, moments.absmax)
    relative = _ratio(norm_d, _norm(moments.aa, moments.mean_a))
    rotation = moments.rotation
    std_a = _std(moments.s_aa, moments.aa, moments.mean_a, n)
    std_b = _std(moments.s_bb, moments.bb, moments.mean_b, n)
    std_d = _std(moments.s_dd, moments.dd, moments.absmax, n)
    cosine = None if rotation is None else 1 - rotation
    cosine_null = 1 / sqrt(n)
    return {
        "delta_fro": norm_d,
        "relative": relative,
        "cosine": cosine,
        "cosine_null": cosine_null,
        "cosine_score": score(cosine, 0.0, cosine_null),
        "rotation": rotation,
        "delta_absmax": _finite(moments.absmax),
        "delta_mean": _finite(moments.mean_d),
        "delta_std": std_d,
        "sqnr_db": -20 * log10(relative) if relative else None,
        "std_a": std_a,
        "std_b": std_b,
        "std_ratio": _ratio(std_b, std_a),
        "delta_correlation": _correlation(moments, std_a, std_d),
    }


def _norm(squares: float, size: float) -> float | None:
    """Root of a sum of squares; None where squares leave float64.

    `size` is not 0 where some element is not.
    """
    if not squares:
        return None if size else 0.0
    if not TINY <= squares < inf:
        return None
    return sqrt(squares)


def _std(squares: float, of_all: float, size: float, n: int) -> float | None:
    """Population standard deviation; None where the norm is null or squares overflow."""
    if _norm(of_all, size) is None or not 0 <= squares < inf:
        return None
    return sqrt(squares / n)


def _correlation(moments: PairMoments, std_a: float | None, std_d: float | None) -> float | None:
    """corr(A, D); null where either is constant."""
    if not std_a or not std_d:
        return None
    correlation = moments.s_ad / moments.n / std_a / std_d
    return min(max(correlation, -1.0), 1.0)


def _ratio(x: float | None, y: float | None) -> float | None:
    """x/y; None where one is null or y is 0."""
    if x is None or not y:
        return None
    return x / y


def _finite(x: float) -> float | None:
    return x if isfinite(x) else None


def _of_evidence(evidence: Evidence) -> Mapping[str, object]:
    moments: PairMoments = evidence.sketches[labels.MOMENTS]
    return {**delta(moments), "notes": united(_zero(moments), _left_out(moments))}


def _zero(moments: PairMoments) -> Note | None:
    """Why norms, and ratios to them, are null."""
    if not moments.n:
        return None
    norm_a = _norm(moments.aa, moments.mean_a)
    norm_b = _norm(moments.bb, moments.mean_b)
    norm_d = _norm(moments.dd, moments.absmax)
    if None in (norm_a, norm_b, norm_d):
        return OVERFLOW
    if norm_a == 0:
        return ZERO_A
    if norm_b == 0:
        return ZERO_B
    return None


def _left_out(moments: PairMoments) -> Note | None:
    """The number of pairs with NaN or Inf."""
    if not moments.left_out:
        return None
    template = "{pairs:,} elements are NaN or Inf in A or B, {one_sided:,} of them in one only"
    return Note.of(
        "pairs-left-out",
        f"{template}: left out of both",
        pairs=moments.left_out,
        one_sided=moments.one_sided,
    )


DELTA = Statistic(COLUMNS, frozenset({labels.MOMENTS}), _of_evidence, pools=True)
_EXACT = {column.name.removeprefix("delta_") for column in COLUMNS}  # values of the Gram matrix
OF_DELTA = tuple(
    under(labels.DELTA, "delta_", statistic, _EXACT)
    for statistic in (OF_ELEMENTS, BEST_LAW, SHAPE, IID)
)
