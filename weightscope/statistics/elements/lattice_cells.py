"""Cells of values that lie on a lattice, whatever type holds them.

A value that went through a quantiser stands for everything that was rounded to it, not for the cell
of the type that stores it. Where sampled rows show the steps (`sampled_steps`), cells are theirs.
Two forms are known from the counts alone:

- Few values (4 weights each; at most 256, or on one step and at most 4,096): edges halfway to the
  neighbouring values that occur.
- Many values around a hole at zero, which quantisers with a scale per row or per group leave: the
  hole is half a step to one step wide on each side, and the step follows from the number of zeros
  beside the number of weights at the edge of the hole. Pruning by magnitude (`pruned_centre`)
  leaves a hole too, for which zero alone stands.

All other counts stay as they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .lattice import CODEBOOK, step_of
from .pruned_centre import hole_of_pruning
from .step_cells import in_steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import ValueCounts

EACH = 4  # weights per value: fewer have few values by chance
LEAST, FEW = 5, 4096  # values on one step: fewer have no shape
COARSER = 2.0  # mean gap between values over the mean width of the type's cells
OUTERMOST = 4.0  # median widths: widest cell, beside an empty stretch of the tail
INSIDE = 64  # weights beside the hole, at least, and 1 of RARE of all
RARE = 1000
BESIDE = (1.5, 3.0)  # half widths of the hole: reach of the weights beside it
REACHES = 16
CROWDED = 4.0  # hole over the median distance of values: above, these have several steps


def with_lattice_cells(counts: ValueCounts) -> ValueCounts:
    """The same weights in cells as wide as the steps of their lattice, if they are on one."""
    if counts.steps is not None:
        if counts.steps.applied:
            return counts
        return in_steps(counts, counts.steps)
    values = counts.values
    if values is not None and _is_lattice(values, counts.n) and not _clustered(values):
        return _between_values(counts, values)
    if counts.zeros and len(counts.value) >= LEAST:
        with np.errstate(over="ignore"):  # steps of 1e308
            return _around_a_hole(counts)
    return counts


def _clustered(values: NDArray[np.float64]) -> bool:
    """Whether values crowd beside a hole at zero, as those of several steps do."""
    size = np.abs(values)
    if size.min() > 0:
        return False
    hole = float(size[size > 0].min())
    return hole > CROWDED * float(np.median(np.diff(values)))


def _is_lattice(values: NDArray[np.float64], n: int) -> bool:
    if not LEAST <= len(values) <= min(FEW, n / EACH):
        return False
    return len(values) <= CODEBOOK or step_of(values, 0.0) is not None


def _between_values(counts: ValueCounts, values: NDArray[np.float64]) -> ValueCounts:
    """Cells halfway to the neighbouring values, where these are wider than the type's own."""
    gap = np.diff(values)
    below, above = np.append(gap[0], gap) / 2, np.append(gap, gap[-1]) / 2
    widest = OUTERMOST * _median_of(below + above, counts.counts) / 2
    below, above = np.minimum(below, widest), np.minimum(above, widest)
    stored = float(((counts.high - counts.low) * counts.counts).sum())
    between = float(((below + above) * counts.counts).sum())
    if between < COARSER * stored:
        return counts
    return replace(counts, low=values - below, high=values + above)


def _median_of(width: NDArray[np.float64], weight: NDArray[np.int64]) -> float:
    order = np.argsort(width)
    upto = np.cumsum(weight[order])
    return float(width[order][np.searchsorted(upto, upto[-1] / 2)])


def _around_a_hole(counts: ValueCounts) -> ValueCounts:
    """Cells of one step each, where values leave a hole around zero."""
    size = np.abs(counts.value)
    hole = float(size[size > 0].min())
    near = size <= BESIDE[1] * hole
    beside = int(counts.counts[near].sum()) - counts.zeros
    if beside < max(INSIDE, counts.n / RARE):
        return counts
    if hole_of_pruning(counts) is not None:
        # Zero alone stands for the hole.
        half = np.where(counts.value == 0, hole, 0.0)
    else:
        half = np.full(len(size), _half_step(size[near], counts.counts[near], hole))
    low = np.minimum(counts.low, counts.value - half)
    high = np.maximum(counts.high, counts.value + half)
    return replace(counts, low=low, high=high)


def _half_step(size: NDArray[np.float64], count: NDArray[np.int64], hole: float) -> float:
    """Half of the step: reach x zeros / weights within reach, averaged over reaches.

    Steps differ by row, so that weights within a reach fill it evenly on average. A half step is at
    most the hole, and at least half of it.
    """
    order = np.argsort(size, kind="stable")
    upto = np.concatenate(([0], np.cumsum(count[order])))
    zeros = float(count[size == 0].sum())
    reach = hole * np.linspace(*BESIDE, REACHES)
    within = upto[np.searchsorted(size[order], reach, "right")]
    half = float((reach * zeros / within).mean())
    return min(max(half, hole / 2), hole)
