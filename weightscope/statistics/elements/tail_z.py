"""The largest |z| that the tail of the other weights leads to expect.

Weights of heavy-tailed laws lie far beyond the largest of a Gaussian without a single one that is
unusual. A power law through the ranks below the most extreme weights, extrapolated to the largest,
tells these apart; a kurtosis would not, since a single far weight determines it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import ValueCounts

MOST_EXTREME = 20  # weights that are judged, not part of the tail
LEAST_SHARE = 200  # one weight in so many is judged in a small tensor
WIDTH = 10  # ranks of the tail, as a multiple of the weights judged
CHANCE = 1e-3  # probability of a larger one in noise with such a tail


def tail_z(counts: ValueCounts) -> float | None:
    """x_(d+1) ((d+1)/0.001)^g / std: exceeded by max|z| once in 1,000 matrices of such a tail.

    x_(1) >= x_(2) >= ... are |w - mean|, d the weights judged (one in 200, 1 to 20) and g the mean
    of i ln(x_(i)/x_(i+1)) over i = d+1 .. 10d-1: Hill (Annals of Statistics 3, 1975) without the d
    largest. None below 200 weights, and where x_(10d) is 0.
    """
    if counts.n < LEAST_SHARE or not counts.std > 0:
        return None
    judged = min(counts.n // LEAST_SHARE, MOST_EXTREME)
    largest = _largest(counts, WIDTH * judged)
    tail = largest[judged:]
    if not tail[-1] > 0:
        return None
    ranks = np.arange(judged + 1, WIDTH * judged)
    steps = ranks * np.log(tail[:-1] / tail[1:])
    slope = float(steps.mean())
    factor = ((judged + 1) / CHANCE) ** slope
    return float(tail[0] * factor / counts.std)


def _largest(counts: ValueCounts, number: int) -> NDArray[np.float64]:
    """The largest |w - mean|, descending; they are in as many cells of either end at most."""
    values, multiplicity = counts.value, counts.counts
    if len(values) > 2 * number:
        values = np.concatenate((values[:number], values[-number:]))
        multiplicity = np.concatenate((multiplicity[:number], multiplicity[-number:]))
    distance = np.abs(values - counts.power.mean)
    each = np.repeat(distance, np.minimum(multiplicity, number))
    return np.asarray(np.sort(each)[::-1][:number])
