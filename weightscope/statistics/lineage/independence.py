"""Whether two models were trained independently, from two assignments of their neurons.

Neurons of A are assigned to those of B by their gate rows, and once more by their up rows. Of
models that share no training the two permutations have nothing in common, whatever the law of
their weights; of one that was made from the other both find the same neurons, even where these
were permuted or trained further. It behaves like a p-value and is not exact: dead or large neurons
couple both assignments. Any two matrices that share the neurons serve, as up rows and down columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from ..series.rank_correlation import spearman

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 8  # neurons: of fewer the t distribution is no law of the correlation
LEAST_P = 1e-300  # equal permutations have p = 0, of which Fisher's sum has no logarithm


@dataclass(frozen=True)
class Independence:
    """Spearman's correlation of two assignments over `neurons` neurons, and its one-sided p."""

    correlation: float
    p: float
    neurons: int


def independence(one: NDArray[np.intp], other: NDArray[np.intp]) -> Independence | None:
    """The correlation of two assignments (f,), -1 for neurons without a partner, left out.

    p = P(t_{n-2} > r sqrt((n - 2)/(1 - r^2))): small where the assignments agree. None below 8
    neurons, for assignments of unequal lengths, and where one is constant or not finite. Equals
    scipy.stats.spearmanr with the alternative `greater`. Source: Zhu et al., Independence Tests for
    Language Models (ICML 2025).

    >>> import numpy as np
    >>> independence(np.arange(64), np.arange(64)).p < 1e-100
    True
    """
    if len(one) != len(other):
        return None
    both = (one >= 0) & (other >= 0)
    first, second = one[both], other[both]
    if len(first) < FEWEST or not np.isfinite(first + second).all():
        return None
    if first.min() == first.max() or second.min() == second.max():
        return None
    correlation, two_sided = spearman(first.tolist(), second.tolist())
    if correlation is None or two_sided is None:
        return None
    if correlation > 0:
        p = two_sided / 2
    else:
        p = 1 - two_sided / 2
    return Independence(correlation, p, len(first))


def combined_p(values: Sequence[float | None]) -> float | None:
    """One p of those of all layers, by Fisher's method; None of no layer.

    P(chi^2_{2k} > -2 sum log p) of the k values that are not None; p = 0 counts as 1e-300. Equals
    scipy.stats.combine_pvalues.

    >>> round(combined_p([0.5, 0.5, None]), 4)
    0.5966
    """
    logs = [log(max(p, LEAST_P)) for p in values if p is not None]
    if not logs:
        return None
    return float(special.gammaincc(len(logs), -sum(logs)))
