"""Correlations between all vectors of one index set in a block, from one matrix product.

A position without a number in one of two vectors is left out of their correlation. Vectors that are
constant have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def pearson(vectors: NDArray[Any]) -> NDArray[Any]:
    """The correlation of every two of k vectors: rho = <x - mean x, y - mean y> / (|..| |..|).

    `vectors` is (k, n) in float64, with NaN where a vector has no number; returns (k, k), NaN for a
    constant. Equals numpy.corrcoef and, with NaN, pandas.DataFrame.corr. Source: [Pearson 1895].

    >>> pearson(np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 0.0]])).round(3).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    whole = np.isfinite(vectors).all(-1)
    rho = _products(np.where(whole[:, None], vectors, np.nan))
    for i in np.flatnonzero(~whole):
        for j in range(len(vectors)):
            rho[i, j] = rho[j, i] = _of_two(vectors[i], vectors[j])
    return rho


def spearman(vectors: NDArray[Any]) -> NDArray[Any]:
    """The correlation of the ranks of every two of k vectors, equal values with their mean rank.

    Takes and returns what `pearson` does. Equals scipy.stats.spearmanr. Source: [Spearman 1904].

    >>> spearman(np.array([[1.0, 2.0, 9.0], [1.0, 4.0, 5.0]])).round(3).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    whole = np.isfinite(vectors).all(-1)
    ranked = np.full(vectors.shape, np.nan)
    for i in np.flatnonzero(whole):
        ranked[i] = ranks(vectors[i])
    rho = _products(ranked)
    for i in np.flatnonzero(~whole):
        for j in range(len(vectors)):
            rho[i, j] = rho[j, i] = _of_two(vectors[i], vectors[j], by_rank=True)
    return rho


def standardised(vectors: NDArray[Any]) -> NDArray[Any]:
    """Vectors of mean 0 and length 1; NaN for a constant.

    >>> standardised(np.array([[0.0, 2.0]])).round(3).tolist()
    [[-0.707, 0.707]]
    """
    centred = vectors - vectors.mean(-1, keepdims=True)
    # by the largest element first: its square may overflow or underflow
    largest = np.abs(centred).max(-1, keepdims=True, initial=0.0)
    scaled = np.divide(centred, largest, out=np.full(centred.shape, np.nan), where=largest > 0)
    length = np.sqrt((scaled**2).sum(-1, keepdims=True))
    unit: NDArray[Any] = scaled / length
    return unit


def ranks(values: NDArray[Any]) -> NDArray[Any]:
    """Ranks from 1, of equal values their mean.

    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, ties = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(ties)
    ranks: NDArray[Any] = (last - (ties - 1) / 2)[place]
    return ranks


def _products(vectors: NDArray[Any]) -> NDArray[Any]:
    unit = standardised(vectors)
    rho: NDArray[Any] = np.clip(unit @ unit.T, -1.0, 1.0)
    return rho


def _of_two(x: NDArray[Any], y: NDArray[Any], *, by_rank: bool = False) -> float:
    """The correlation over the positions where both have a number."""
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < 2:
        return float("nan")
    x, y = x[both], y[both]
    if by_rank:
        x, y = ranks(x), ranks(y)
    return float(_products(np.stack((x, y)))[0, 1])
