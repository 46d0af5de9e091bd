"""Counts of values in few cells: what a curve shows, a hundredth of the memory."""

from __future__ import annotations

from dataclasses import replace

from ....lazy import numpy as np
from ....sketches import ValueCounts

WIDTH = 0.01  # of a cell in asinh((w - mean)/std): a sixth of the bins of a picture


def coarse(counts: ValueCounts) -> ValueCounts:
    """The counts with neighbouring cells joined, about 1,000 of them at most; sums stay exact.

    Cells are WIDTH std wide near the mean, and in proportion to the distance further out.
    """
    mean, std = counts.power.mean, counts.std
    if not std > 0 or len(counts.value) < 2:
        return counts
    places = np.floor(np.arcsinh((counts.value - mean) / std) / WIDTH)
    starts = np.flatnonzero(np.diff(places, prepend=-np.inf))
    ends = np.append(starts[1:], len(places)) - 1
    low, high = counts.low[starts], counts.high[ends]
    return replace(
        counts,
        low=low,
        high=high,
        value=(low + high) / 2,
        counts=np.add.reduceat(counts.counts, starts),
        exact=False,
    )
