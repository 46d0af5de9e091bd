"""Cells: a tensor's counted cells made ready for fitting, in standard units (mean 0, std 1).

Narrow cells (under 0.02 std) stand as points, since density times width is their likelihood; where there are thousands,
neighbours closer than 0.005 std and 1/64 of their distance from the median are one point (1e-6 of any parameter).
Wide cells of a coarse lattice (fp8, int4) are split into sub-points that `fitted` weights by a law's own density.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...notes import Note
from ...sketches.quantiles import spread_over_cells
from ..elements.excess_zeros import excess_zeros
from ..elements.moments import BEYOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ...sketches.value_counts import ValueCounts

    Arrays = tuple[NDArray[np.float64], ...]

NARROW = 0.02  # std: below it the density at the value stands for the cell
MANY = 4096  # cells: below, grouping costs what it saves
LATTICE = 1e-5  # mean width^2/12: what rounding adds to the variance (bf16: 5e-6)
WIDEST = 1.0  # std: mean width of bins above which they show no law


@dataclass(frozen=True, eq=False)
class Cells:
    """Points and shares the laws are fitted to, and the sorted cells they are judged on."""

    n: int
    centre: float  # mean and std in the weights' own unit
    scale: float
    z: NDArray[np.float64]  # points, their shares (sum 1)
    p: NDArray[np.float64]
    median: float
    iqr: float
    minimum: float
    maximum: float
    ends: tuple[
        tuple[float, float, float], tuple[float, float, float]
    ]  # low, high, share of the outermost cells
    low: NDArray[np.float64]  # every cell, by value
    high: NDArray[np.float64]
    share: NDArray[np.float64]
    narrow: int  # of the points, how many first ones are narrow cells
    log_width: float  # sum of share * ln width over the narrow cells
    wide: Arrays  # low, high, value, share of the wide cells
    parts: NDArray[np.intp] | None = (
        None  # a lattice: where each wide cell's sub-points start, among the wide
    )


def prepare(counts: ValueCounts) -> Cells | Note:
    """Standard units, zeros out where they are an excess; the reason where no law can be fitted."""
    counts = counts.without_zeros() if excess_zeros(counts) else counts
    n, centre, scale = counts.n, counts.power.mean, counts.std
    if n == 0:
        return Note("nothing-to-fit", "no finite non-zero weights")
    if not spread_over_cells(counts, WIDEST):
        return Note(
            "wide-bins",
            "bins too wide beside the spread, or too narrow in range: no law, no quantiles",
        )
    if len(counts.value) < 3:
        return _few_values(counts)
    if isnan(scale):
        return BEYOND
    if scale <= abs(centre) * 1e-14:
        return Note("constant", "spread beyond float64")
    return _standard(counts, n, centre, scale)


def _few_values(counts: ValueCounts) -> Note:
    many = len(counts.value)
    what = "distinct value" if counts.distinct == many else "cell"
    plural = "s" if many > 1 else ""
    return Note.of("few-values", f"{{n}} {what}{plural}: no law is fitted below three", n=many)


def _standard(counts: ValueCounts, n: int, centre: float, scale: float) -> Cells:
    value = (counts.value - centre) / scale
    low, high = (counts.low - centre) / scale, (counts.high - centre) / scale
    least, most = (counts.minimum - centre) / scale, (counts.maximum - centre) / scale
    if counts.exact:
        least, most = float(value[0]), float(value[-1])
    if not counts.exact:
        low, high = np.maximum(low, least), np.minimum(high, most)
        value = np.clip(value, low, high)
    # A cell of float64 may have no room left after scaling, and the cell beyond a type's range no finite edge.
    ends = np.nextafter(value, -np.inf), np.nextafter(value, np.inf)
    low = np.where((low < value) & (low > -np.inf), low, ends[0])
    high = np.where((high > value) & (high < np.inf), high, ends[1])
    share, width = counts.counts / n, high - low
    slim = width < NARROW
    q1, median, q3 = _quartiles(low, high, share)
    z, p = _grouped(value[slim], share[slim], median)
    wide = low[~slim], high[~slim], value[~slim], share[~slim]
    cells = Cells(
        n,
        centre,
        scale,
        np.concatenate((z, wide[2])),
        np.concatenate((p, wide[3])),
        median,
        q3 - q1,
        least,
        most,
        (
            (float(low[0]), float(high[0]), float(share[0])),
            (float(low[-1]), float(high[-1]), float(share[-1])),
        ),
        low,
        high,
        share,
        len(z),
        float((share[slim] * np.log(width[slim])).sum()),
        wide,
    )
    return _split(cells) if float((share * width**2).sum()) / 12 > LATTICE else cells


def _quartiles(
    low: NDArray[np.float64], high: NDArray[np.float64], share: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Inside a cell the weights are spread evenly; where a quantile falls between two cells it is halfway."""
    total = np.cumsum(share)

    def at(q: float) -> float:
        i, j = (min(int(k), len(total) - 1) for k in np.searchsorted(total, (q - 1e-12, q + 1e-12)))
        return (
            float(sum(high[k] - (total[k] - q) / share[k] * (high[k] - low[k]) for k in (i, j))) / 2
        )

    return at(0.25), at(0.5), at(0.75)


def _grouped(z: NDArray[np.float64], p: NDArray[np.float64], median: float) -> Arrays:
    """Neighbours in one step are one point at their mean: 1/64 of the distance from the median, 0.005 std at most."""
    if len(z) <= MANY:
        return z, p
    far, knee = np.abs(z - median), 64 * 0.005
    curved = 64 * np.log(np.clip(far, 1e-6, knee) / 1e-6)
    step = np.floor(np.copysign(curved + np.maximum(far - knee, 0) / 0.005 + 1, z - median))
    starts = np.flatnonzero(np.concatenate(([True], step[1:] != step[:-1])))
    weight = np.add.reduceat(p, starts)
    return np.add.reduceat(p * z, starts) / weight, weight


def _split(cells: Cells) -> Cells:
    """Wide cells as sub-points at most 0.05 std apart (32 at most), evenly weighted to begin with."""
    low, high, _, share = cells.wide
    pieces = np.clip(np.ceil((high - low) / 0.05), 1, 32).astype(np.intp)
    starts = np.cumsum(pieces) - pieces
    within = np.arange(pieces.sum()) - np.repeat(starts, pieces)
    z = np.repeat(low, pieces) + (within + 0.5) * np.repeat((high - low) / pieces, pieces)
    p = np.repeat(share / pieces, pieces)
    k = cells.narrow
    return replace(
        cells, z=np.concatenate((cells.z[:k], z)), p=np.concatenate((cells.p[:k], p)), parts=starts
    )


def weighted(cells: Cells, logpdf: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Cells:
    """The same lattice with every wide cell's share laid on its sub-points as this density has it (an EM step)."""
    k, starts = cells.narrow, cells.parts
    assert starts is not None
    sizes = np.diff(starts, append=len(cells.z) - k)
    density = np.maximum(logpdf(cells.z[k:]), -1e6)
    density = np.exp(density - np.repeat(np.maximum.reduceat(density, starts), sizes))
    p = density * np.repeat(cells.wide[3] / np.add.reduceat(density, starts), sizes)
    return replace(cells, p=np.concatenate((cells.p[:k], p)))
