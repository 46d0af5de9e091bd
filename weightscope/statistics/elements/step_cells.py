"""Counts in the cells of a quantiser, as far as a sample of rows shows them.

Every sampled weight is a cell; it counts for the weights of the tensor whose values are nearest, so
that all values are those of the tensor, and only which step each belongs to is the sample's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...sketches.steps import MOST, MOST_OF_ZERO, fewer
from ...sketches.value_counts import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import ValueCounts
    from ...sketches.steps import Steps


def in_steps(counts: ValueCounts, steps: Steps) -> ValueCounts:
    """The same weights in cells as wide as their steps.

    Values beyond all sampled cells keep the cells of the stored type: the largest weights, which
    set the scale of their group. So do zeros where none was sampled.
    """
    steps = fewer(steps, MOST, MOST_OF_ZERO)
    beyond = (counts.value < steps.low.min()) | (counts.value > steps.high.max())
    if not (steps.value == 0).any():
        beyond |= counts.value == 0
    weights = _shared(counts, ~beyond, steps.value)
    exact = weights * steps.exact
    value = np.concatenate((steps.value, steps.value, counts.value[beyond]))
    low = np.concatenate((steps.low, steps.value - steps.rounding, counts.low[beyond]))
    high = np.concatenate((steps.high, steps.value + steps.rounding, counts.high[beyond]))
    number = whole(np.cumsum(np.concatenate((weights - exact, exact, counts.counts[beyond]))))
    # cells of float64 may have no width
    low = np.minimum(low, np.nextafter(value, -np.inf))
    high = np.maximum(high, np.nextafter(value, np.inf))
    order = np.lexsort((high, low, value))
    order = order[number[order] > 0]
    return replace(
        counts,
        low=low[order],
        high=high[order],
        value=value[order],
        counts=number[order],
        exact=True,
        steps=replace(steps, applied=True),
    )


def _shared(
    counts: ValueCounts, inside: NDArray[np.bool_], sampled: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How many weights each sampled one counts for: those of the nearest value.

    Zeros are shared by zeros alone.
    """
    value, first, repeats = np.unique(sampled, return_inverse=True, return_counts=True)
    nonzero = np.flatnonzero(value)
    middle = (value[nonzero][1:] + value[nonzero][:-1]) / 2
    nearest = nonzero[np.searchsorted(middle, counts.value)]
    nearest[counts.value == 0] = np.abs(value).argmin()
    number = np.bincount(nearest[inside], counts.counts[inside], len(value))
    shared: NDArray[np.float64] = (number / repeats)[first]
    return shared
