"""Centring: rows and columns of a sample without their means.

Matrices of independent models share signs: positive gains, a common mean of all embeddings, a
bias that each row has. Their raw cosine is large under every map, so that none would be found, or
one that does not exist; without the means of rows and columns it is near zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLAT = 1e-24  # energy left by centring, of that before it, that rounding alone explains


def magnitude(values: NDArray[Any]) -> float:
    """The largest finite |x|; 1 where all are zero.

    >>> magnitude(np.array([[-3.0, np.inf]])), magnitude(np.zeros((2, 2)))
    (3.0, 1.0)
    """
    finite = np.isfinite(values)
    largest = np.abs(np.where(finite, values, 0.0)).max(initial=0.0)
    return float(largest) or 1.0


def centred(values: NDArray[Any], unit: float = 1.0) -> NDArray[np.float64]:
    """x_ij - mean of row i - mean of column j + mean of all; zero where x is not finite.

    Of a single row or column only the mean of all is taken away: its other means are its values.
    x is in units of `unit`; in those of `magnitude` no square leaves float64. Zeros where rows
    and columns have no more than their means.

    >>> centred(np.array([[1.0, 2.0], [3.0, 5.0]])).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    x = values.astype(np.float64) / unit
    finite = np.isfinite(x)
    if not finite.all():
        x = np.where(finite, x, 0.0)
    before = np.square(x).sum()
    x = _without_means(x, finite)
    if np.square(x).sum() <= FLAT * before:
        return np.zeros_like(x)
    return x


def _without_means(x: NDArray[np.float64], finite: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Means of rows, then of columns, over the finite elements; the others stay zero."""
    if min(x.shape) == 1:
        return _without_mean(x, finite, None)
    return _without_mean(_without_mean(x, finite, 1), finite, 0)


def _without_mean(
    x: NDArray[np.float64], finite: NDArray[np.bool_], axis: int | None
) -> NDArray[np.float64]:
    """Means along one axis; of all elements where it is None."""
    count = np.maximum(finite.sum(axis, keepdims=True), 1)
    rest: NDArray[np.float64] = x - x.sum(axis, keepdims=True) / count
    if finite.all():
        return rest
    return np.where(finite, rest, 0.0)
