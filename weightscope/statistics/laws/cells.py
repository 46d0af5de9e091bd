"""Cells: a tensor's counted cells made ready for fitting, in standard units (mean 0, std 1).

Narrow cells (under 0.02 std) are points, since density times width is their likelihood; where there
are thousands, neighbours closer than 0.005 std and 1/64 of their distance from the median are one
point (1e-6 of any parameter). Wide cells of a coarse lattice (fp8, int4) are split into sub-points
that `fitted` weights by a law's own density.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...notes import Note
from ...sketches.quantiles import spread_over_cells
from ..elements.even_cells import quantiles
from ..elements.excess_zeros import fitted_weights
from ..elements.moments import BEYOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ...sketches.value_counts import ValueCounts

    Arrays = tuple[NDArray[np.float64], ...]
    End = tuple[float, float, float]  # low, high and share of a cell

NARROW = 0.02  # std: below it the density at the value represents the cell
MANY = 4096  # cells: below, grouping costs what it saves
LATTICE = 1e-5  # mean width^2/12: what rounding adds to the variance (bf16: 5e-6)
WIDEST = 1.0  # std: mean width of bins above which they show no law
GROUP = 0.005  # std: widest group of neighbours
GROUPS = 64  # groups of neighbours per e-fold of the distance from the median
CENTRE = 1e-6  # std: all neighbours within this distance of the median are one group
QUARTILES = (0.25, 0.5, 0.75)
PIECE, PIECES = 0.05, 32  # std, widest sub-point of a wide cell, and most sub-points


@dataclass(frozen=True, eq=False)
class Cells:
    """Points and shares that laws are fitted to, and the sorted cells that give their goodness."""

    n: int
    centre: float  # mean and std in the weights' own unit
    scale: float
    z: NDArray[np.float64]  # points, their shares (sum 1)
    p: NDArray[np.float64]
    median: float
    iqr: float
    minimum: float
    maximum: float
    ends: tuple[End, End]  # the outermost cells
    low: NDArray[np.float64]  # every cell, by value
    high: NDArray[np.float64]
    share: NDArray[np.float64]
    narrow: int  # of the points, how many first ones are narrow cells
    log_width: float  # sum of share * ln width over the narrow cells
    wide: Arrays  # low, high, value, share of the wide cells
    parts: NDArray[np.intp] | None = None  # of a lattice: first sub-point of each wide cell
    in_steps: bool = False  # cells of sampled steps overlap


def prepare(counts: ValueCounts) -> Cells | Note:
    """Standard units, cells of steps, no zeros in excess; the reason where no law can be fitted."""
    resolved = spread_over_cells(counts, WIDEST)
    counts = fitted_weights(counts)
    centre, scale = counts.power.mean, counts.std
    if counts.n == 0:
        return Note("nothing-to-fit", "no finite non-zero weights")
    if not resolved:
        return Note(
            "wide-bins",
            "bins are too wide for the spread of the values, or do not cover them: no fit",
        )
    if len(counts.value) < 3:
        return _few_values(counts)
    if isnan(scale):
        return BEYOND
    if scale <= abs(centre) * 1e-14:
        return Note(
            "small-spread", "the spread is too small beside the mean for float64: no law is fitted"
        )
    return _standard(counts, centre, scale)


def _few_values(counts: ValueCounts) -> Note:
    """How many values there are, or cells where bins may hold several each."""
    n = len(counts.value)
    noun = "cell"
    if counts.distinct == n:
        noun = "distinct value"
    if n > 1:
        noun += "s"
    return Note.of("few-values", f"{{n}} {noun}: a fit needs three or more", n=n)


def _standard(counts: ValueCounts, centre: float, scale: float) -> Cells:
    """All fields of Cells but the sub-points of a lattice, which `_split` adds."""
    value, low, high = _standard_cells(counts, centre, scale)
    minimum, maximum = (counts.minimum - centre) / scale, (counts.maximum - centre) / scale
    if counts.exact:
        minimum, maximum = float(value[0]), float(value[-1])
    share = counts.counts / counts.n
    width = high - low
    slim = width < NARROW
    if counts.steps is None:
        q1, median, q3 = _quartiles(low, high, share)
    else:
        q1, median, q3 = quantiles(low, high, share, QUARTILES).tolist()
    z, p = _grouped(value[slim], share[slim], median)
    wide = low[~slim], high[~slim], value[~slim], share[~slim]
    cells = Cells(
        n=counts.n,
        centre=centre,
        scale=scale,
        z=np.concatenate((z, value[~slim])),
        p=np.concatenate((p, share[~slim])),
        median=median,
        iqr=q3 - q1,
        minimum=minimum,
        maximum=maximum,
        ends=(_end(low, high, share, 0), _end(low, high, share, -1)),
        low=low,
        high=high,
        share=share,
        narrow=len(z),
        log_width=float((share[slim] * np.log(width[slim])).sum()),
        wide=wide,
        in_steps=counts.steps is not None,
    )
    rounding_variance = float((share * width**2).sum()) / 12
    if rounding_variance > LATTICE:
        return _split(cells)
    return cells


def _standard_cells(counts: ValueCounts, centre: float, scale: float) -> Arrays:
    """Value, low and high of each cell in standard units, low < value < high and all finite."""
    value = (counts.value - centre) / scale
    low, high = (counts.low - centre) / scale, (counts.high - centre) / scale
    if not counts.exact:
        low = np.maximum(low, (counts.minimum - centre) / scale)
        high = np.minimum(high, (counts.maximum - centre) / scale)
        value = np.clip(value, low, high)
    # A cell of float64 may have no width after scaling, the cell beyond a type's range no finite
    # edge: the neighbouring numbers are its edges then.
    below, above = np.nextafter(value, -np.inf), np.nextafter(value, np.inf)
    low = np.where((low < value) & (low > -np.inf), low, below)
    high = np.where((high > value) & (high < np.inf), high, above)
    return value, low, high


def _end(
    low: NDArray[np.float64], high: NDArray[np.float64], share: NDArray[np.float64], i: int
) -> End:
    return float(low[i]), float(high[i]), float(share[i])


def _quartiles(
    low: NDArray[np.float64], high: NDArray[np.float64], share: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Weights are spread evenly inside a cell; a quantile between two cells is halfway."""
    total = np.cumsum(share)
    last = len(total) - 1

    def inside(cell: int, q: float) -> np.float64:
        width = high[cell] - low[cell]
        from_high = (total[cell] - q) / share[cell]
        return np.float64(high[cell] - from_high * width)

    def at(q: float) -> float:
        first, second = np.searchsorted(total, (q - 1e-12, q + 1e-12))
        left = inside(min(int(first), last), q)
        right = inside(min(int(second), last), q)
        return float(left + right) / 2

    return at(0.25), at(0.5), at(0.75)


def _grouped(z: NDArray[np.float64], p: NDArray[np.float64], median: float) -> Arrays:
    """Neighbours of one group are one point at their mean.

    Groups are 1/64 of the distance from the median wide, at most 0.005 std: logarithmic to a knee,
    then linear.
    """
    if len(z) <= MANY:
        return z, p
    distance, knee = np.abs(z - median), GROUPS * GROUP
    logarithmic = GROUPS * np.log(np.clip(distance, CENTRE, knee) / CENTRE)
    linear = np.maximum(distance - knee, 0) / GROUP
    group = np.floor(np.copysign(logarithmic + linear + 1, z - median))
    starts = np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1])))
    weight = np.add.reduceat(p, starts)
    return np.add.reduceat(p * z, starts) / weight, weight


def _split(cells: Cells) -> Cells:
    """Wide cells as at most 32 sub-points, at most 0.05 std apart, at first of equal weight."""
    low, high, _, share = cells.wide
    width = high - low
    pieces = np.clip(np.ceil(width / PIECE), 1, PIECES).astype(np.intp)
    starts = np.cumsum(pieces) - pieces
    within = np.arange(pieces.sum()) - np.repeat(starts, pieces)  # 0, 1, ... in each cell
    z = np.repeat(low, pieces) + (within + 0.5) * np.repeat(width / pieces, pieces)
    p = np.repeat(share / pieces, pieces)
    k = cells.narrow
    z = np.concatenate((cells.z[:k], z))
    p = np.concatenate((cells.p[:k], p))
    return replace(cells, z=z, p=p, parts=starts)


def weighted(cells: Cells, logpdf: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Cells:
    """Spread the share of every wide cell over its sub-points by this density (an EM step)."""
    k, starts = cells.narrow, cells.parts
    assert starts is not None
    share = cells.wide[3]
    sizes = np.diff(starts, append=len(cells.z) - k)
    log_density = np.maximum(logpdf(cells.z[k:]), -1e6)
    largest = np.maximum.reduceat(log_density, starts)  # of each cell: exp must not underflow
    density = np.exp(log_density - np.repeat(largest, sizes))
    total = np.add.reduceat(density, starts)
    p = density * np.repeat(share / total, sizes)
    return replace(cells, p=np.concatenate((cells.p[:k], p)))
