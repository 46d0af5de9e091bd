"""Excess of exact zeros: more than the cells beside zero predict, as after pruning.

The prediction is the density of the denser cell beside zero times the width of zero's own cell. On
a lattice (`lattice_cells`) zero is a cell like its neighbours, and its weights are no excess. Zeros
that stand for a hole (`pruned_centre`) are none either: a fit knows how many weights were in it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...notes import Note
from .lattice_cells import with_lattice_cells
from .pruned_centre import ZEROS, hole_of_pruning, lacks_its_centre, weights_between

if TYPE_CHECKING:
    from ...sketches import ValueCounts

TIMES = 2.0  # zeros over the prediction above which they are an excess
CENTRE_PRUNED = Note(
    "centre-pruned",
    "zeros stand for unknown weights near zero: beta_moment, weibull_k and filtered_* are null",
)
NARROWEST = 1e-300  # width of a cell: the density of a cell without width stays finite


def excess_zeros(counts: ValueCounts) -> int:
    """How many exact zeros the cells beside zero do not predict; 0 where they are no excess.

    An excess is over 1% of the weights, and over twice the prediction.
    """
    return _excess(with_lattice_cells(counts))


def fitted_weights(counts: ValueCounts) -> ValueCounts:
    """The weights that laws are fitted to: cells as wide as their steps, no zeros in excess."""
    cells = with_lattice_cells(counts)
    excess = _excess(cells)
    if not excess:
        return cells
    rest = cells.without_zeros(excess)
    if rest.steps is None:
        return rest
    return replace(rest, steps=replace(rest.steps, excess=0.0))


def pruned_zeros(counts: ValueCounts) -> int:
    """How many exact zeros are those of pruning: all that stand for a hole, or the excess."""
    if hole_of_pruning(counts) is not None:
        return counts.zeros
    return excess_zeros(counts)


def centre_is_pruned(counts: ValueCounts) -> bool:
    """Whether sums over weights have no value: zeros stand for weights near zero that are unknown.

    They do in a hole, where few weights near zero are left, and on a pruned lattice, whose own
    zeros are among those of pruning.
    """
    if counts.zeros <= ZEROS * counts.n or counts.zeros == counts.n:
        return False
    if hole_of_pruning(counts) is not None:
        return True
    cells = with_lattice_cells(counts)
    excess = _excess(cells)
    if not excess:
        return False
    return cells is not counts or lacks_its_centre(cells.without_zeros(excess))


def _excess(counts: ValueCounts) -> int:
    if counts.zeros <= ZEROS * counts.n:
        return 0
    if counts.steps is not None and counts.steps.applied:
        return int(counts.steps.excess * counts.zeros)
    if hole_of_pruning(counts) is not None:
        return 0
    if counts.zeros == counts.n or len(counts.value) < 3:
        return counts.zeros
    predicted = _predicted(counts)
    if counts.zeros <= TIMES * max(predicted, _beside(counts)):
        return 0
    return counts.zeros - int(predicted)


def _beside(counts: ValueCounts) -> int:
    """The greatest count of the two values on each side: few weights have ties at any value."""
    at_zero = int(np.searchsorted(counts.value, 0.0))
    left = counts.counts[max(at_zero - 2, 0) : at_zero]
    right = counts.counts[at_zero + 1 : at_zero + 3]
    return int(max(left.max(initial=0), right.max(initial=0)))


def _predicted(counts: ValueCounts) -> float:
    """Density beside zero's cell times its width.

    The density is the greatest of four: of the next cell on each side, and of all weights within
    one width of zero's cell on each side, since cells of several steps overlap.
    """
    at_zero = int(np.searchsorted(counts.value, 0.0))
    low, high = counts.low[at_zero], counts.high[at_zero]
    width = high - low
    densities = [_density(counts, low - width, low), _density(counts, high, high + width)]
    for i in (at_zero - 1, at_zero + 1):
        if 0 <= i < len(counts.value):
            next_width = max(counts.high[i] - counts.low[i], NARROWEST)
            densities.append(float(counts.counts[i] / next_width))
    return max(densities) * float(width)


def _density(counts: ValueCounts, low: float, high: float) -> float:
    """Weights per unit between two edges."""
    return weights_between(counts, low, high) / max(high - low, NARROWEST)
