"""Pruning by magnitude: weights near zero were set to zero, and leave a hole around it.

The zeros then stand for the whole hole. A fit takes them as one cell as wide as the hole, of which
only the number of weights is known: a Gaussian keeps its beta. Sums over the weights have no value
there, since those of the hole are unknown. Steps of a quantiser leave a hole too, but weights begin
slowly at the edge of theirs, or come in clusters.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import ValueCounts

ZEROS = 0.01  # share of exact zeros, at most, that are neither pruning nor left out of the fits
INSIDE = 64  # weights within twice the hole, at least
WIDER = 8.0  # hole over the width of the cells at its edge: less is the type's own step
EDGES = (1.02, 1.05, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0, 2.5, 3.0)  # of stretches, in holes
RISE = 1.25  # density of a later stretch over that of an earlier one, at most
ERRORS = 3.0  # standard errors of a count that are no rise
CENTRE = 0.15  # share of the weights below half of the median of |w|; even ones have 0.25


def hole_of_pruning(counts: ValueCounts) -> float | None:
    """Least weight that was kept, where more than 1% are zeros that stand for a hole around it.

    Weights begin at the edge of the hole at once, and their density does not rise from there on.
    None where zeros are known to be those of steps.
    """
    if counts.steps is not None:
        return None
    if counts.zeros <= ZEROS * counts.n or len(counts.value) < 3:
        return None
    size = np.abs(counts.value)
    nonzero = size > 0
    hole = float(size[nonzero].min())
    if not (np.isfinite(3 * hole) and hole > 0):
        return None
    near = nonzero & (size <= 4 * hole)
    width = counts.high[near] - counts.low[near]
    if hole < WIDER * float(width[size[near].argmin()]):
        return None
    if counts.counts[near & (size <= 2 * hole)].sum() < INSIDE:
        return None
    if _falls(size[near], width, counts.counts[near], hole):
        return hole
    return None


def _falls(
    size: NDArray[np.float64], width: NDArray[np.float64], count: NDArray[np.int64], hole: float
) -> bool:
    """Whether the density is highest at the edge of the hole and falls, but for its errors."""
    low = size - width / 2
    high = low + width
    lengths, inside = [], []
    for start, end in pairwise(EDGES):
        share = _share_between(size, low, high, start * hole, end * hole)
        inside.append(float((share * count).sum()))
        lengths.append(end - start)
    density = np.array(inside) / lengths
    error = ERRORS * np.sqrt(np.array(inside) + 1) / lengths
    greatest = density[0] + error[0]
    for i in range(1, len(density)):
        if density[i] - error[i] > RISE * greatest:
            return False
        greatest = min(greatest, float(density[i] + error[i]))
    return bool(inside[0] > 0)


def lacks_its_centre(counts: ValueCounts) -> bool:
    """Whether few weights are left near zero, of weights without the zeros in excess."""
    if counts.n == 0:
        return False
    size = np.abs(counts.value)
    order = np.argsort(size, kind="stable")
    upto = np.cumsum(counts.counts[order])
    half = float(size[order][np.searchsorted(upto, upto[-1] / 2)]) / 2
    return weights_between(counts, -half, half) < CENTRE * counts.n


def weights_between(counts: ValueCounts, low: float, high: float) -> float:
    """Number of weights between two edges, spread evenly over their cells."""
    share = _share_between(counts.value, counts.low, counts.high, low, high)
    return float((share * counts.counts).sum())


def _share_between(
    value: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    start: float,
    end: float,
) -> NDArray[np.float64]:
    """The share of each cell between two edges, spread evenly over it."""
    # cells of float64 may have no width: a value is inside or not
    share = ((value > start) & (value < end)).astype(np.float64)
    with np.errstate(over="ignore"):  # cells of 1e308 beside those of 1e-308
        width = high - low
        overlap = np.minimum(high, end) - np.maximum(low, start)
        np.divide(overlap, width, out=share, where=width > 0)
    return np.clip(share, 0.0, 1.0)
