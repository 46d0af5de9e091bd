"""Cosines of the neurons of two feed-forward networks, from the products of their matrices.

A neuron is a row of the up (and gate) matrix beside a column of the down matrix. Each matrix is
divided by its Frobenius norm first: a down matrix is often smaller than the up matrix, and a
rectifier lets a factor move from one to the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


class Products(Protocol):
    """What the sketch `CrossProducts` has: products of columns, and their sums of squares."""

    @property
    def products(self) -> NDArray[np.float32]:
        """(f_a, f_b) inner products."""

    @property
    def squares_a(self) -> NDArray[np.float64]:
        """(f_a,) sums of squares of A."""

    @property
    def squares_b(self) -> NDArray[np.float64]:
        """(f_b,) sums of squares of B."""


def neuron_cosines(parts: Sequence[Products]) -> Floats | None:
    """(f_a, f_b) cosines of every neuron of A with every neuron of B, float32.

    c_ij = sum_p P_p[i, j]/(|A_p| |B_p|) / sqrt(sum_p a_p[i]/|A_p|^2 sum_p b_p[j]/|B_p|^2) for the
    matrices p, their products P_p, sums of squares a_p, b_p and Frobenius norms |A_p|, |B_p|.
    A neuron of zeros has the cosine 0. A matrix of zeros is left out. None without any matrix, and
    where a product or a square is not finite.

    >>> import numpy as np
    >>> from weightscope.sketches import CrossProducts
    >>> part = CrossProducts(np.eye(2, dtype="f4"), np.ones(2), np.ones(2), 2)
    >>> neuron_cosines([part]).round(6).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    products: Floats | None = None
    squares_a: NDArray[np.float64] = np.zeros(1)
    squares_b: NDArray[np.float64] = np.zeros(1)
    for part in parts:
        energy_a = float(part.squares_a.sum())
        energy_b = float(part.squares_b.sum())
        if not np.isfinite(energy_a + energy_b):
            return None
        if energy_a == 0 or energy_b == 0:
            continue
        scale = 1 / np.sqrt(energy_a) / np.sqrt(energy_b)
        with np.errstate(invalid="ignore", over="ignore"):  # Inf has an answer below
            scaled = part.products * np.float32(scale)
        squares_a = squares_a + part.squares_a / energy_a
        squares_b = squares_b + part.squares_b / energy_b
        if products is None:
            products = scaled
        else:
            products += scaled
    if products is None:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        products *= _inverse_lengths(squares_a)[:, None]
        products *= _inverse_lengths(squares_b)
    if not np.isfinite(products).all():
        return None
    return products


def _inverse_lengths(squares: NDArray[np.float64]) -> Floats:
    """1/length of each neuron; 0 for one of zeros."""
    lengths = np.sqrt(squares)
    inverse = np.zeros_like(lengths)
    np.divide(1.0, lengths, out=inverse, where=lengths > 0)
    shortened: Floats = inverse.astype(np.float32)
    return shortened
