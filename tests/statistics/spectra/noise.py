"""The largest eigenvalues of many matrices of noise, without the matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
HALVINGS = 40  # of the bounds of an eigenvalue: 1e-12 of it


def largest(
    m: int, n: int, count: int, random: np.random.Generator, square: float | None = None
) -> tuple[Array, Array]:
    """lambda_1 of W W' and the energy of each of `count` m x n matrices W, m <= n.

    Elements are standard Gaussian, the first one is of this `square` where it is given. Householder
    reflections make noise bidiagonal with independent chi elements, and leave the first element in
    its column: far fewer numbers than the matrix has.
    """
    diagonal = random.chisquare(n - np.arange(m), (count, m))
    if square is not None:
        diagonal[:, 0] = square + random.chisquare(n - 1, count)
    below = random.chisquare(m - 1 - np.arange(m - 1), (count, m - 1))
    gram = diagonal.copy()
    gram[:, 1:] += below
    return _top(gram, diagonal[:, :-1] * below), gram.sum(1)


def _top(diagonal: Array, squares: Array) -> Array:
    """The largest eigenvalues of tridiagonal matrices, by bisection for all at once.

    x is above all eigenvalues where no pivot of T - x is positive (Sturm). `squares` are those of
    the elements beside the diagonal.
    """
    beside = np.sqrt(squares)
    radius = np.zeros_like(diagonal)
    radius[:, 1:] += beside
    radius[:, :-1] += beside
    low, high = diagonal.max(1), (diagonal + radius).max(1)
    columns, offs = np.ascontiguousarray(diagonal.T), np.ascontiguousarray(squares.T)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = _above_all(columns, offs, middle)
        high = np.where(below, middle, high)
        low = np.where(below, low, middle)
    return (low + high) / 2


def _above_all(columns: Array, offs: Array, x: Array) -> NDArray[np.bool_]:
    pivot = columns[0] - x
    greatest = pivot
    for column, off in zip(columns[1:], offs, strict=True):
        pivot = column - x - off / np.minimum(pivot, -1e-300)
        greatest = np.maximum(greatest, pivot)
    return greatest < 0
