"""Do outliers crowd into few rows or columns? Gini coefficients of their counts, beside what chance gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..heavy import numpy as np
from ..heavy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray


def gini(counts: NDArray[np.int64]) -> float | None:
    """Gini coefficient of counts (n,): sum_i (2i - n - 1) c_(i) / (n sum c), ascending, i from 1; None without any.

    0 where all lines have as many; 1 - 1/n where one line has all. Half the relative mean absolute difference.

    >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 4]))
    (0.0, 0.75)
    """
    total, n = int(counts.sum()), len(counts)
    if not total:
        return None
    ranks = 2 * np.arange(1, n + 1) - n - 1
    return float((ranks * np.sort(counts)).sum() / (n * total))


def gini_null(mean: float) -> float | None:
    """Gini coefficient of a Poisson law of that mean: e^(-2 mu) (I0(2 mu) + I1(2 mu)); None for mean 0.

    Counts of rare events that fall on lines by chance. Means 0.1, 0.5, 1, 10 give 0.91, 0.67, 0.52, 0.18.

    >>> round(gini_null(1.0), 2)
    0.52
    """
    return float(special.ive(0, 2 * mean) + special.ive(1, 2 * mean)) if mean > 0 else None
