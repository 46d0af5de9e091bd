"""Excess of exact zeros: more than the law of the other weights explains, as after pruning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    from ...sketches import ValueCounts

ZEROS = 0.01  # share above which exact zeros are left out of the fits
NARROWEST = 1e-300  # width of a cell: the density of a cell without width stays finite


def excess_zeros(counts: ValueCounts) -> bool:
    """Whether over 1% of the weights are exact zeros, twice as dense as the cells beside zero.

    On a lattice zero is a cell like its neighbours, and its weights are no excess.
    """
    many = counts.zeros > ZEROS * counts.n
    if not many or counts.zeros == counts.n or len(counts.value) < 3:
        return many
    at_zero = int(np.searchsorted(counts.value, 0.0))
    densities = []
    for i in (at_zero - 1, at_zero + 1):
        if 0 <= i < len(counts.value):
            width = max(counts.high[i] - counts.low[i], NARROWEST)
            densities.append(counts.counts[i] / width)
    explained = max(densities) * (counts.high[at_zero] - counts.low[at_zero])
    return bool(counts.zeros > 2 * explained)
