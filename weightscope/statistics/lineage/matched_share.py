"""How many of the matched neurons are the same neuron, without the true permutation.

The assignment is the most probable permutation where the neurons of B are those of A plus Gaussian
noise. The share is the mean probability of its pairs over all permutations, weighted by their
likelihood: 99.6% of the pairs of GPT-6 are right where this says 99.8%; 0.3% and 0.7% of an
unrelated seed. Below a share of one half it is too small (0.53 for 0.66, 0.05 for 0.28).
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Places = NDArray[np.intp]

SEED = 1
SAMPLE = 1024  # pairs of the sample
ROUNDS = 3  # corrections of the cosine of right pairs: the share moves by 0.001 after these
SCALINGS = 3  # of rows and columns, before the messages
MESSAGES = 4  # of rows to columns and back: 20 change the share of GPT-6 by less than 0.001
LEAST = 1e-9  # a sum of weights that is 0 in float32
CERTAIN = 0.999  # a cosine of 1 has an infinite likelihood


def matched_share(
    cosines: Floats, rows: Places, columns: Places, cosine: float, null: float
) -> float:
    """The mean probability that a matched pair is right, 1/n of unrelated models.

    Where right pairs have the cosine r and others the variance v about 0, a permutation has the
    likelihood exp(r/(v (1 - r^2)) sum of its cosines). Its marginals are those of belief
    propagation on the bipartite graph (Huang and Jebara, Approximating the permanent with belief
    propagation, 2009). r^2 starts as cosine^2 - null^2 and approaches cosine^2 with the share.
    `rows` and `columns` are the matched pairs of `cosines`, (f_a, f_b). Of more than 1,024 pairs a
    sample is taken, and the weight of wrong pairs is multiplied by the pairs that it lacks.

    >>> import numpy as np
    >>> x = np.eye(64)
    >>> matched_share(x, np.arange(64), np.arange(64), 1.0, 0.1)
    1.0
    """
    count = len(rows)
    if count < 2:
        return float(count)
    chosen = np.arange(count)
    if count > SAMPLE:
        chosen = np.random.default_rng(SEED).choice(count, SAMPLE, replace=False)
    pairs = cosines[np.ix_(rows[chosen], columns[chosen])]  # right pairs on the diagonal
    lacking = (max(cosines.shape) - 1) / (len(chosen) - 1)
    excess = sqrt(max(cosine * cosine - null * null, 0.0))
    variance = _variance(pairs)
    if not variance > 0:
        return 1.0 if excess > 0 else 1 / max(cosines.shape)
    right = excess
    share = 0.0
    for _ in range(ROUNDS):
        right = min(right, CERTAIN)
        slope = right / variance / (1 - right * right)
        share = _mean_probability(pairs, slope, lacking)
        right = share * cosine + (1 - share) * excess
    return share


def _variance(pairs: Floats) -> float:
    """The variance of the cosines off the diagonal."""
    others = ~np.eye(len(pairs), dtype=bool)
    return float(pairs[others].var(dtype=np.float64))


def _mean_probability(pairs: Floats, slope: float, lacking: float) -> float:
    """The mean marginal of the pairs on the diagonal, (n, n) with the likelihood exp(slope c)."""
    largest = pairs.max(1, keepdims=True)
    weights = np.exp(slope * (pairs - largest), dtype=np.float32)
    diagonal = np.arange(len(weights))
    right = weights[diagonal, diagonal]
    weights *= np.float32(lacking)
    weights[diagonal, diagonal] = right
    for _ in range(SCALINGS):
        weights /= np.maximum(weights.sum(0), LEAST)
        weights /= np.maximum(weights.sum(1, keepdims=True), LEAST)
    of_columns = np.ones_like(weights)
    of_rows = of_columns
    for _ in range(MESSAGES):
        of_rows = _excluding(weights * of_columns, 1)
        of_columns = _excluding(weights * of_rows, 0)
    odds = (weights * of_rows * of_columns)[diagonal, diagonal].astype(np.float64)
    return float((odds / (1 + odds)).mean())


def _excluding(weighted: Floats, axis: int) -> Floats:
    """1 over the sum of all others along an axis."""
    others = weighted.sum(axis, keepdims=True) - weighted
    message: Floats = 1 / np.maximum(others, LEAST)
    return message
