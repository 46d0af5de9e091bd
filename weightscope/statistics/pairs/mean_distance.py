"""How far the laws of row means, and of column means, of two matrices are apart.

The mean of a row of n independent elements has the standard deviation sigma/sqrt(n), so that means
in this unit have one law at every width: the row and column structure of the mean-field ansatz
(arXiv 2408.08681) compared across widths. No rows are paired.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...sketches import Count, Margins, MarginSums
from ..statistic import At, Evidence, Statistic
from .labels import A, B

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

FEWEST = 8  # rows or columns of each side


def _columns(line: str, side: str) -> tuple[Column, Column]:
    unit = f"sigma/sqrt({side})"
    return (
        Column(
            f"{line}_mean_w1",
            "float",
            f"Wasserstein-1 distance of the {line} means of A and B, none paired; matrices whose "
            "elements cannot be paired",
            unit,
            "scipy.stats.wasserstein_distance",
        ),
        Column(
            f"{line}_mean_ks",
            "float",
            f"largest distance of the distribution functions of the {line} means, each side in its "
            f"own {unit}",
            "",
            "scipy.stats.ks_2samp",
        ),
    )


COLUMNS = (*_columns("row", "n"), *_columns("col", "m"))


def distances(a: Values, b: Values) -> tuple[float, float]:
    """(w1, ks) of two samples, equal to scipy's; both need finite values.

    >>> distances(np.array([0.0, 1.0]), np.array([1.0, 2.0]))
    (1.0, 0.5)
    """
    every = np.sort(np.concatenate((a, b)))
    gap = _up_to(a, every) - _up_to(b, every)
    w1 = float((np.abs(gap[:-1]) * np.diff(every)).sum())
    return w1, float(np.abs(gap).max())


def _up_to(sample: Values, points: Values) -> Values:
    """The share of a sample up to each point."""
    below = np.searchsorted(np.sort(sample), points, side="right")
    return np.asarray(below / len(sample))


def standardised(sums: Values, across: int, sigma: float) -> Values:
    """Line means in units of sigma/sqrt(n): sums of n elements over sigma sqrt(n)."""
    return np.asarray(sums / (sigma * np.sqrt(across)))


def _of_evidence(evidence: Evidence) -> Mapping[str, object]:
    a: Margins = evidence.sketches[At(A, MarginSums())]
    b: Margins = evidence.sketches[At(B, MarginSums())]
    sigma_a = evidence.sketches[At(A, Count())].std
    sigma_b = evidence.sketches[At(B, Count())].std
    if not (sigma_a > 0 and sigma_b > 0):
        return {}
    values: dict[str, object] = {}
    for line, across_a, across_b, sums_a, sums_b in (
        ("row", len(a.cols["sum"]), len(b.cols["sum"]), a.rows["sum"], b.rows["sum"]),
        ("col", len(a.rows["sum"]), len(b.rows["sum"]), a.cols["sum"], b.cols["sum"]),
    ):
        if min(len(sums_a), len(sums_b)) < FEWEST:
            continue
        of_a = standardised(sums_a, across_a, sigma_a)
        of_b = standardised(sums_b, across_b, sigma_b)
        w1, ks = distances(of_a, of_b)
        values |= {f"{line}_mean_w1": w1, f"{line}_mean_ks": ks}
    return values


MEAN_DISTANCE = Statistic(
    COLUMNS,
    frozenset(At(label, measure) for label in (A, B) for measure in (Count(), MarginSums())),
    _of_evidence,
)
