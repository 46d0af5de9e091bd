"""Excess of exact zeros: more than the law of the other weights explains, as after pruning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    from ...sketches import ValueCounts

ZEROS = 0.01  # share above which exact zeros leave the fits


def excess_zeros(counts: ValueCounts) -> bool:
    """Whether exact zeros leave the fits: over 1%, and twice as dense as the cells beside (a lattice has a zero)."""
    at = int(np.searchsorted(counts.value, 0.0))
    if counts.zeros <= ZEROS * counts.n or counts.zeros == counts.n or len(counts.value) < 3:
        return counts.zeros > ZEROS * counts.n
    near = [i for i in (at - 1, at + 1) if 0 <= i < len(counts.value)]
    density = [counts.counts[i] / max(counts.high[i] - counts.low[i], 1e-300) for i in near]
    return bool(counts.zeros > 2 * max(density) * (counts.high[at] - counts.low[at]))
