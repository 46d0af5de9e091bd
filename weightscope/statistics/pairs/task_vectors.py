"""Directions of two task vectors D_a = A - base and D_b = B - base, from their inner products.

The products of all pairs of a set come from one pass (`TaskVectors`), their common outliers from a
second (`SharedOutliers`). Products are rounded to about 1e-15, so an angle has a floor of about
1e-6 degrees.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import atan2, copysign, cos, degrees, hypot, isfinite, sqrt

from ...columns import Column
from ...notes import Note, united
from ...sketches.pair_record import TINY
from ...sketches.shared_outliers import OutlierPositions
from ...sketches.vector_record import VectorProducts
from ..score import score

DIRECTION_COLUMNS = (
    Column(
        "cosine", "float", "<D_a, D_b>/(|D_a| |D_b|); null where a task vector is 0", shown=True
    ),
    Column("cosine_null", "float", "std of the cosine of independent task vectors: 1/sqrt(N)"),
    Column("cosine_score", "float", "cosine/cosine_null"),
    Column("angle_deg", "float", "angle of D_a and D_b, 0 to 180", "degrees", shown=True),
    Column(
        "sign_agreement",
        "float",
        "share of equal signs of D_a and D_b where both are non-zero",
        shown=True,
    ),
    Column("norm_shrink", "float", "|D_a + D_b|/(|D_a| + |D_b|)", shown=True),
    Column(
        "implied_correlation",
        "float",
        "2 Var((D_a + D_b)/2)/mean(Var D_a, Var D_b) - 1: correlation r of Var(mean) = "
        "sigma^2 (1 + r)/2",
    ),
)
OVERLAP_COLUMNS = (
    Column(
        "outlier_overlap",
        "float",
        "positions beyond 4 robust_std in D_a and D_b, over those in either (Jaccard)",
        "",
        "scipy.spatial.distance.jaccard",
        shown=True,
    ),
    Column("outlier_overlap_null", "float", "outlier_overlap of independent positions"),
    Column(
        "outlier_overlap_score",
        "float",
        "shared positions less the expected, in standard deviations of independent positions",
    ),
)
COLUMNS = DIRECTION_COLUMNS + OVERLAP_COLUMNS
LEAST_SHARED = 5.0  # positions expected in both: fewer are too discrete for a score
NULLS = "cosine, angle, norm_shrink and implied_correlation are null"
ZERO_A = Note("zero-norm", f"the task vector of a is 0 everywhere: {NULLS}")
ZERO_B = Note("zero-norm", f"the task vector of b is 0 everywhere: {NULLS}")
ZERO_BOTH = Note("zero-norm", f"the task vectors of a and b are 0 everywhere: {NULLS}")
OVERFLOW = Note(
    "overflow-squared",
    "task vectors overflow or underflow when squared (above 1e154, below 1e-145): "
    "columns that depend on a norm are null",
)
CONSTANTS = Note("constant", "both task vectors are constant: implied_correlation is null")
UNRESOLVED = Note(
    "wide-bins", "a task vector varies too little beside its mean: no outliers are counted"
)


def directions(products: VectorProducts, i: int, j: int) -> Mapping[str, object]:
    """Columns of the vectors i and j, and notes.

    cos = <D_i, D_j>/(|D_i| |D_j|), angle = atan2(sin, cos) with sin^2 = 1 - cos^2 from unrounded
    squares; norm_shrink = |D_i + D_j|/(|D_i| + |D_j|) without cancellation; implied_correlation =
    2 Cov(D_i, D_j)/(Var D_i + Var D_j). Nulls where a vector is 0 or its square leaves float64.

    >>> import numpy as np
    >>> three = np.full((2, 2), 3)
    >>> p = VectorProducts(3, 0, np.zeros(2), np.zeros(2), np.eye(2), three, three)
    >>> directions(p, 0, 1)["angle_deg"], directions(p, 0, 1)["sign_agreement"]
    (90.0, 1.0)
    """
    if not products.n:
        return {"notes": united(left_out(products))}
    values: dict[str, object] = {"cosine_null": 1 / sqrt(products.n)}
    both = int(products.both[i, j])
    if both:
        values["sign_agreement"] = int(products.agree[i, j]) / both
    reason = _without_norms(products, i, j)
    if reason is not None:
        return {**values, "notes": united(reason, left_out(products))}
    cosine, angle = _direction(products, i, j)
    correlation = _implied_correlation(products, i, j)
    values["cosine"] = cosine
    values["cosine_score"] = score(cosine, 0.0, 1 / sqrt(products.n))
    values["angle_deg"] = degrees(angle)
    values["norm_shrink"] = _norm_shrink(products, i, j, angle)
    values["implied_correlation"] = correlation
    constant = CONSTANTS if correlation is None else None
    return {**values, "notes": united(constant, left_out(products))}


def overlaps(positions: OutlierPositions, i: int, j: int) -> Mapping[str, object]:
    """Jaccard index of the outliers of i and j, its value for independent positions, and notes.

    shared/(beyond_i + beyond_j - shared); independent positions share beyond_i beyond_j/n. Null
    where nothing is beyond in either. Equals 1 - scipy.spatial.distance.jaccard of the two masks.

    >>> import numpy as np
    >>> masks = OutlierPositions(100, np.array([4, 4]), np.full((2, 2), 2), np.zeros(2, bool))
    >>> round(overlaps(masks, 0, 1)["outlier_overlap"], 3)
    0.333
    """
    if positions.unresolved[i] or positions.unresolved[j]:
        return {"notes": (UNRESOLVED,)}
    of_i, of_j = int(positions.beyond[i]), int(positions.beyond[j])
    if not of_i + of_j:
        return {}
    shared = int(positions.shared[i, j])
    by_chance = of_i * of_j / positions.n
    return {
        "outlier_overlap": shared / (of_i + of_j - shared),
        "outlier_overlap_null": by_chance / (of_i + of_j - by_chance),
        "outlier_overlap_score": shared_score(shared, of_i, of_j, positions.n),
    }


def shared_score(shared: int, of_i: int, of_j: int, count: int) -> float | None:
    """The score of a number of shared positions, of a hypergeometric law; null below 5 expected.

    Its variance is a b (n-a)(n-b)/(n^2 (n-1)). A lower expectation has too few values for a score.

    >>> shared_score(25, 100, 100, 400)
    0.0
    >>> shared_score(1, 10, 10, 400) is None
    True
    """
    expected = of_i * of_j / count
    if expected < LEAST_SHARED:
        return None
    variance = expected * (count - of_i) / count * (count - of_j) / (count - 1)
    return score(shared, expected, sqrt(variance))


def left_out(products: VectorProducts) -> Note | None:
    """The number of elements with NaN or Inf."""
    if not products.left_out:
        return None
    return Note.of(
        "pairs-left-out",
        "{elements:,} elements are NaN or Inf in a task vector: left out of all",
        elements=products.left_out,
    )


def leaves_float64(products: VectorProducts, i: int) -> bool:
    """Whether the square of a vector that is not 0 overflows, or has lost digits."""
    square = float(products.gram[i, i])
    if not isfinite(square):
        return True
    return square < TINY and bool(products.nonzero[i])


def _without_norms(products: VectorProducts, i: int, j: int) -> Note | None:
    """Why columns that depend on a norm are null; None where they are not."""
    if leaves_float64(products, i) or leaves_float64(products, j):
        return OVERFLOW
    zero_i, zero_j = not products.nonzero[i], not products.nonzero[j]
    if zero_i and zero_j:
        return ZERO_BOTH
    if zero_i:
        return ZERO_A
    if zero_j:
        return ZERO_B
    return None


def _direction(products: VectorProducts, i: int, j: int) -> tuple[float, float]:
    """Cosine and angle in radians.

    cos^2 as a ratio of integers: equal vectors have exactly 1 and 0, and no product overflows.
    """
    gram = products.gram
    inner = Fraction(float(gram[i, j]))
    squares = Fraction(float(gram[i, i])) * Fraction(float(gram[j, j]))
    cos_squared = min(inner * inner / squares, Fraction(1))
    cosine = copysign(sqrt(cos_squared), inner)
    sine = sqrt(1 - cos_squared)
    return cosine, atan2(sine, cosine)


def _norm_shrink(products: VectorProducts, i: int, j: int, angle: float) -> float:
    """|D_i + D_j|/(|D_i| + |D_j|) = sqrt((u - v)^2 + 4 u v cos^2(angle/2)), shares u + v = 1."""
    gram = products.gram
    norm_i, norm_j = sqrt(gram[i, i]), sqrt(gram[j, j])
    both = norm_i + norm_j
    u, v = norm_i / both, norm_j / both
    common = 2 * sqrt(u * v) * cos(angle / 2)
    return min(hypot(u - v, common), 1.0)


def _implied_correlation(products: VectorProducts, i: int, j: int) -> float | None:
    """2 Cov/(Var + Var); None where both are constant."""
    moments = products.moments
    spread = float(moments[i, i]) / 2 + float(moments[j, j]) / 2
    if not spread > 0:
        return None
    return min(max(float(moments[i, j]) / spread, -1.0), 1.0)
