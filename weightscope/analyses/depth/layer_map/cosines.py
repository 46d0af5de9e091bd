"""The cosines of all pairs of samples from matrix products, without NaN and Inf of either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 1 << 16  # elements of each sample that are in float64 at once


@dataclass(frozen=True, eq=False)
class Cosines:
    """(L, L) float64: the cosine of each pair, NaN without one; pairs of finite elements."""

    cosine: NDArray[np.float64]
    elements: NDArray[np.float64]


def cosines(samples: Sequence[NDArray[np.float32]]) -> Cosines:
    """<A, B>/(|A| |B|) over the elements that are finite in both.

    >>> a, b = np.float32([3, 4]), np.float32([4, -3])
    >>> cosines([a, 2 * a, b]).cosine.round(12).tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    count = len(samples)
    products = np.zeros((count, count))
    squares = np.zeros((count, count))  # of row i, over the elements that are finite in column j
    elements = np.zeros((count, count))
    for first in range(0, len(samples[0]), CHUNK):
        chunk = slice(first, first + CHUNK)
        x = np.stack([sample[chunk] for sample in samples]).astype(np.float64)
        finite = np.isfinite(x)
        x[~finite] = 0.0
        weights = finite.astype(np.float64)
        products += x @ x.T
        squares += (x * x) @ weights.T
        elements += weights @ weights.T
    norms = np.sqrt(squares) * np.sqrt(squares.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.where(norms > 0, products / norms, np.nan)
    return Cosines(np.clip(cosine, -1.0, 1.0), elements)
