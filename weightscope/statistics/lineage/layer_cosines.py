"""Cosines of every layer of A with every layer of B, from a few rows of one role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...lazy import numpy as np
from .centring import centred, magnitude

if TYPE_CHECKING:
    from numpy.typing import NDArray

Rows = Sequence["NDArray[Any] | None"]  # the same rows of each layer, (k, columns); None = absent


@dataclass(frozen=True, eq=False)
class LayerCosines:
    """(layers of A, layers of B), NaN where a layer has no such matrix, and its elements."""

    values: NDArray[np.float64]
    elements: int


def layer_cosines(a: Rows, b: Rows) -> LayerCosines:
    """cos(a_i, b_j) of centred rows, for one role: one product of matrices.

    All rows are of one shape (k, columns). NaN for absent and for constant layers; elements that
    are not finite count as their means.

    >>> x, y = np.random.default_rng(0).standard_normal((2, 16, 8))
    >>> layer_cosines([x, None], [y, 2 * x]).values.round(2).tolist()
    [[-0.02, 1.0], [nan, nan]]
    """
    present = [rows for rows in (*a, *b) if rows is not None]
    elements = present[0].size if present else 0
    of_a, of_b = _directions(a, elements), _directions(b, elements)
    values = of_a @ of_b.T
    values[~of_a.any(1)] = np.nan
    values[:, ~of_b.any(1)] = np.nan
    return LayerCosines(values, elements)


def _directions(layers: Rows, elements: int) -> NDArray[np.float64]:
    """(layers, elements): vectors of length 1; zeros for absent and constant layers."""
    directions = np.zeros((len(layers), elements))
    for direction, rows in zip(directions, layers, strict=True):
        if rows is None or not rows.size:
            continue
        x = centred(rows, magnitude(rows)).reshape(-1)
        norm = np.sqrt(np.square(x).sum())
        if norm > 0:
            direction[:] = x / norm
    return directions
