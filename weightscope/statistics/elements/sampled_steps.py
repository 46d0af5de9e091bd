"""Cells of sampled weights that went through a quantiser with a scale per row, block or group.

Each group of weights that share a scale shows its steps. A weight stands for everything that was
rounded to it: half of the way to the next level on each side. The largest of a group ends them; it
is exact where it sets the scale, as in integers and NF4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...sketches.row_pairs import COLUMNS
from ...sketches.steps import MOST, MOST_OF_ZERO, Steps
from ...sketches.value_counts import FEWEST_ZEROS
from . import grids
from .excess_zeros import TIMES
from .precision import Quantiser, quantiser
from .pruned_centre import ERRORS, hole_of_pruning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import PairedRows, ValueCounts

    Groups = NDArray[np.float64]  # (groups, values)

NEIGHBOURS = 9  # over which the share of the largest weights is averaged
ONE_SCALE = 0.01  # relative differences of steps, below: rounding to BF16 makes 0.004
MORE_ZEROS = 1.2  # share of zeros in the tensor over that in the sample, at most
MOST_GROUPS = 256
E2M1 = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
E2M1_PEAKS = (6.0, 4.0)  # a scale that is a power of two leaves out 6 in some groups
E2M1_ROUNDED = 1 / 16  # of the largest weight: a scale in E4M3 is off by so much at most
E2M1_END = 8.0  # below it weights become 6, where the scale is the power of two below a quarter


@dataclass(frozen=True, eq=False)
class Cells:
    """Stored values, edges of their cells, and how many levels they are from zero."""

    value: Groups
    low: Groups
    high: Groups
    level: Groups
    exact: NDArray[np.bool_]  # the largest of a group, which sets its scale
    rounding: Groups  # how far that may have been from its value


def with_steps(counts: ValueCounts, rows: PairedRows, dtype: str) -> ValueCounts:
    """The same counts with the steps that sampled rows show, where zeros are more than 0.25%.

    Of integers, NF4 and FP4 with a scale per row, block or group. FP8 has fine steps near zero, and
    the levels of one scale for all are known from the counts. Zero alone stands for a hole of
    pruning, whose zeros are more than those of steps.
    """
    if counts.zeros <= FEWEST_ZEROS * counts.n or counts.zeros == counts.n:
        return counts
    found = quantiser(counts, rows, dtype)
    if found is None or found.scale == "per tensor" or found.grid not in _CELLS_OF:
        return counts
    cells = cells_of(found)
    if cells is None or not _explain(cells, counts):
        return counts
    steps = _some_of(cells, counts)
    if steps.excess and hole_of_pruning(counts) is not None:
        return counts
    return replace(counts, steps=steps)


def _explain(cells: Cells, counts: ValueCounts) -> bool:
    """Whether steps differ, their first levels are no hole, and the sample has the tensor's zeros.

    Rows of zeros that were not sampled, or that have no scale, would be taken for steps. Both are
    told beyond the errors of a small sample.
    """
    zero = cells.value == 0
    width = (cells.high - cells.low)[zero]
    if not width.size or float(np.ptp(width)) < ONE_SCALE * float(width.max()):
        return False
    first, second = (int((np.abs(cells.level) == k).sum()) for k in (1, 2))
    others = int((~zero & ~cells.exact).sum())
    if first < second - ERRORS * sqrt(first + second) or not first or others < NEIGHBOURS:
        return False
    return counts.zeros / counts.n <= _most_zeros(zero)


def _most_zeros(zero: NDArray[np.bool_]) -> float:
    """The greatest share of zeros in a tensor whose sampled groups have these."""
    shares = zero.mean(axis=1)
    error = float(shares.std()) / sqrt(len(shares))
    share = float(shares.mean())
    return max(MORE_ZEROS * share, share + ERRORS * error)


def cells_of(found: Quantiser) -> Cells | None:
    """The cells of the sampled weights, in at most 256 groups; None where no group shows a step."""
    groups = found.groups[np.ptp(found.groups, axis=1) > 0]
    apart = -(-len(groups) // MOST_GROUPS)
    return _CELLS_OF[found.grid](groups[::apart], found)


def _some_of(cells: Cells, counts: ValueCounts) -> Steps:
    """Few of the weights, evenly spaced by value, those of zero by width.

    The largest of groups are told by their share near each of the others. Together they stand for
    all weights of the tensor.
    """
    value, low, high = cells.value.ravel(), cells.low.ravel(), cells.high.ravel()
    order = np.lexsort((high - low, value))
    zero, exact = (value == 0)[order], cells.exact.ravel()[order]
    zeros = _some(order[zero], MOST_OF_ZERO)
    others = order[~zero & ~exact]
    chosen = _some(others, MOST)
    largest = order[exact]
    share = _share_near(value[chosen], value[largest], len(others) / len(chosen))
    rounding = cells.rounding.ravel()
    at = np.concatenate((chosen, zeros))
    each = np.repeat(
        ((counts.n - counts.zeros) / len(chosen), counts.zeros / len(zeros)),
        (len(chosen), len(zeros)),
    )
    return Steps(
        value[at],
        low[at],
        high[at],
        each,
        np.concatenate((share, np.zeros(len(zeros)))),
        rounding[at],
        _excess_of_zeros(cells.level),
    )


def _share_near(
    value: NDArray[np.float64], largest: NDArray[np.float64], each: float
) -> NDArray[np.float64]:
    """Share of the largest weights of groups near each value, of which each stands for `each`."""
    nearest = _nearest(largest, value)
    count = np.bincount(nearest, minlength=len(value))
    smooth = np.convolve(count, np.full(NEIGHBOURS, 1 / NEIGHBOURS), "same")
    return smooth / (smooth + each)


def _some(order: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """At most so many, evenly spaced."""
    if len(order) <= most:
        return order
    middles = (np.arange(most) + 0.5) * (len(order) / most)
    return order[middles.astype(np.intp)]


def _excess_of_zeros(level: Groups) -> float:
    """Share of the zeros beyond those of a density that grows towards zero as it did before.

    With n_k weights k levels from zero and r = max(1, sqrt(n_1/n_2)), n_1 r^2/(r + 1) are expected:
    exact for a Laplace with one step.
    """
    zeros, first, second = (int((np.abs(level) == k).sum()) for k in range(3))
    ratio = max(1.0, sqrt(first / max(second, 1)))
    expected = first * ratio**2 / (ratio + 1)
    if zeros <= TIMES * expected:
        return 0.0
    return 1 - expected / zeros


def _integers(groups: Groups, found: Quantiser) -> Cells | None:
    """Multiples of a step; groups that do not show theirs have as many as most.

    None where a zero point is no whole step.
    """
    sized = grids.magnitudes(groups, found.spacing)
    most = grids.MOST_STEPS[found.grid == "int8"]
    peak_steps = grids.peak_in_steps(sized, most)
    known = ~np.isnan(peak_steps)
    if not known.any():
        return None
    numbers, times = np.unique(peak_steps[known], return_counts=True)
    peak_steps[~known] = numbers[times.argmax()]
    step = sized.peak / peak_steps[:, None]
    cells = _inexact(groups, groups - step / 2, groups + step / 2, np.rint(groups / step))
    if found.scale == "per row" and groups.shape[1] == COLUMNS:
        return cells  # the largest weight may be in a column that was not sampled
    return _with_exact_peaks(groups, cells, found.spacing.rounding(sized.peak))


def _nf4(groups: Groups, found: Quantiser) -> Cells:
    peak = np.abs(groups).max(axis=1, keepdims=True)
    cells = _between_levels(groups, peak, np.array(grids.NF4), 1.0)
    return _with_exact_peaks(groups, cells, found.spacing.rounding(peak))


def _fp4(groups: Groups, found: Quantiser) -> Cells:
    """E2M1 with a scale that is a power of two, or that makes the largest weight 6."""
    peak = np.abs(groups).max(axis=1, keepdims=True)
    positive = np.array(E2M1)
    levels = np.concatenate((-positive[:0:-1], positive))
    scales = np.stack([peak / number for number in E2M1_PEAKS])
    number = groups / scales
    off = np.abs(number - levels[_nearest(number, levels)]).max(axis=2)
    which = off.argmin(axis=0)
    scale = np.take_along_axis(scales[:, :, 0], which[None], 0).T
    cells = _between_levels(groups, scale, levels, E2M1_END)
    if which.any():
        return cells
    return _with_exact_peaks(groups, cells, E2M1_ROUNDED * peak)


def _inexact(value: Groups, low: Groups, high: Groups, level: Groups) -> Cells:
    none = np.zeros(value.shape)
    return Cells(value, low, high, level, none.astype(np.bool_), none)


def _between_levels(
    groups: Groups, scale: Groups, levels: NDArray[np.float64], end: float
) -> Cells:
    """Cells halfway to the next levels, the outermost to `end`, times a scale (groups, 1)."""
    at = _nearest(groups / scale, levels)
    edges = np.concatenate(([-end], _halfway(levels), [end]))
    low = edges[at] * scale
    high = edges[at + 1] * scale
    zero = np.searchsorted(levels, 0.0)
    level = (at - zero).astype(np.float64)
    return _inexact(groups, low, high, level)


def _nearest(number: Groups, levels: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.searchsorted(_halfway(levels), number)


def _halfway(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Between neighbours, ascending."""
    return (values[1:] + values[:-1]) / 2


def _with_exact_peaks(groups: Groups, cells: Cells, rounding: Groups) -> Cells:
    """No cell reaches beyond the largest size of its group, which one weight has by itself."""
    size = np.abs(groups)
    peak = size.max(axis=1, keepdims=True)
    low = np.maximum(cells.low, -peak - rounding)
    high = np.minimum(cells.high, peak + rounding)
    largest = size.argmax(axis=1)[:, None]
    value = np.take_along_axis(groups, largest, 1)
    np.put_along_axis(low, largest, value - rounding, 1)
    np.put_along_axis(high, largest, value + rounding, 1)
    exact = np.zeros(groups.shape, np.bool_)
    np.put_along_axis(exact, largest, True, 1)
    rounding = np.broadcast_to(rounding, groups.shape)
    return replace(cells, low=low, high=high, exact=exact, rounding=rounding)


_CELLS_OF: dict[str, Callable[[Groups, Quantiser], Cells | None]] = {
    **dict.fromkeys(("int2", "int3", "int4", "int8"), _integers),
    "nf4": _nf4,
    "fp4_e2m1": _fp4,
}
