"""The median of a vector."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

from ..lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def median(values: NDArray[Any]) -> float:
    """numpy's, which takes three times as long for a few numbers.

    >>> median(np.array([3.0, 1.0, 2.0])), median(np.array([4.0, 1.0]))
    (2.0, 2.5)
    """
    half = len(values) // 2
    if len(values) % 2:
        ranked = np.partition(values, (half, -1))
        middle = 0.0 + ranked[half]  # numpy has no -0.0 either
    else:
        ranked = np.partition(values, (half - 1, half, -1))
        middle = (0.0 + ranked[half - 1] + ranked[half]) / 2
    if np.isnan(ranked[-1]):
        return nan
    return float(middle)
