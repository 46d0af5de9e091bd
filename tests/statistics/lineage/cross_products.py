"""Products of neurons (rows) of two arrays, as the sketch gives them of columns."""

from __future__ import annotations

import numpy as np

from weightscope.sketches import CrossProducts


def cross_products(a: np.ndarray, b: np.ndarray) -> CrossProducts:
    """Inner products of the rows of A (f_a, n) with those of B (f_b, n)."""
    return CrossProducts(
        products=(a @ b.T).astype(np.float32),
        squares_a=(a * a).sum(1).astype(np.float64),
        squares_b=(b * b).sum(1).astype(np.float64),
        rows=a.shape[1],
    )
