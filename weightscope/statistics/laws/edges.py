"""The empirical distribution function at cell edges: even inside a cell, flat between cells.

Knots fill the gaps between edges, since the area between two distribution functions (`w1`) needs
the fitted one there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

STEP = 0.05  # std between knots where no cell edge is near
DENSE = 8.0  # std: knots are STEP apart to there, and 5% apart beyond
FAR = 1e6  # std: the outermost knots, where w1 ends (a law may have no mean)
EVEN = 1e-4  # std: the narrowest of overlapping cells whose shares rise evenly, by differences
ATOM = 1e-6  # std: a cell that narrow is one point with a jump


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges and knots in ascending order, with the share of the weights at each."""

    x: NDArray[np.float64]
    before: NDArray[np.float64]  # the share below x, and up to x: they differ at atoms
    after: NDArray[np.float64]
    middle: NDArray[np.float64]  # their mean
    width: NDArray[np.float64]  # distance to the next x
    median: float
    cells: int
    real: NDArray[np.bool_]  # edges of cells; at the others, knots, the share is interpolated


def edges_of(cells: Cells) -> Edges:
    """Sorted edges, each with the share of the weights below it.

    Cells of different types may overlap, and those of neighbours by rounding.
    """
    low, high = cells.low, cells.high
    below = np.minimum(np.concatenate(([0.0], np.cumsum(cells.share))), 1.0)
    below[-1] = 1.0
    before, after = below[:-1], below[1:]
    if float((high - low).max()) < ATOM:
        return _with_knots(cells, (low + high) / 2, before, after)

    x = np.stack((low, high), 1).ravel()  # low and high of each cell in turn
    share = np.stack((before, after), 1).ravel()
    overlapping = (x[1:] < x[:-1]).any()
    if overlapping:
        x = np.sort(x)
        share = share_of_overlapping(low, high, cells.share, x)
    distinct = np.concatenate(([True], x[1:] != x[:-1]))
    share = share[distinct]
    return _with_knots(cells, x[distinct], share, share)


def share_of_overlapping(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    share: NDArray[np.float64],
    x: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The share below x: wide cells rise evenly, of narrow ones that hold x half counts."""
    wide = high - low > EVEN
    slim = ~wide
    at_most = _share_below(low[slim], share[slim], x, "left")
    at_least = _share_below(high[slim], share[slim], x, "right")
    total = (at_most + at_least) / 2
    if wide.any():
        total += _evenly_below(low[wide], high[wide], share[wide], x)
    rising = np.maximum.accumulate(np.clip(total, 0.0, 1.0))
    rising[-1] = 1.0
    return rising


def _evenly_below(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    share: NDArray[np.float64],
    x: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The share below x, where each cell rises evenly: ramps that begin less ramps that ended."""
    slope = share / (high - low)
    return _ramps(low, slope, x) - _ramps(high, slope, x)


def _ramps(
    start: NDArray[np.float64], slope: NDArray[np.float64], x: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum of slope (x - start) over the starts below x."""
    order = np.argsort(start, kind="stable")
    slopes = np.concatenate(([0.0], np.cumsum(slope[order])))
    offsets = np.concatenate(([0.0], np.cumsum(slope[order] * start[order])))
    begun = np.searchsorted(start[order], x, "left")
    return slopes[begun] * x - offsets[begun]


def _share_below(
    edge: NDArray[np.float64],
    share: NDArray[np.float64],
    x: NDArray[np.float64],
    side: Literal["left", "right"],
) -> NDArray[np.float64]:
    """The share of cells whose `edge` lies below x."""
    order = np.argsort(edge, kind="stable")
    total = np.concatenate(([0.0], np.cumsum(share[order])))
    return np.minimum(total, 1.0)[np.searchsorted(edge[order], x, side)]


def _with_knots(
    cells: Cells, x: NDArray[np.float64], before: NDArray[np.float64], after: NDArray[np.float64]
) -> Edges:
    """Edges x with knots inserted, each knot with the share at its position in the gap."""
    at, knots = _knots_between(x)
    ends = np.concatenate(([x[0] - 1], x, [x[-1] + 1]))
    gap_start, gap_end = ends[at], ends[at + 1]
    left = np.concatenate(([0.0], after))[at]
    right = np.concatenate((before, [1.0]))[at]
    into = np.clip((knots - gap_start) / (gap_end - gap_start), 0.0, 1.0)
    share = left + into * (right - left)

    real = np.insert(np.ones(len(x), np.bool_), at, False)
    x = np.insert(x, at, knots)
    lower = np.insert(before, at, share)
    upper = middle = lower
    if after is not before:
        upper = np.insert(after, at, share)
        middle = (lower + upper) / 2
    return Edges(x, lower, upper, middle, np.diff(x), cells.median, len(cells.share), real)


def _knots_between(x: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Knots in gaps wider than a quarter of STEP, and the index of the edge right of each."""
    end = max(FAR, abs(x[0]), abs(x[-1])) * 1.1
    tail = np.geomspace(DENSE, end, 250)
    dense = np.arange(-DENSE, DENSE, STEP)
    knots = np.concatenate((-tail[::-1], dense, tail))
    at = np.searchsorted(x, knots)
    gaps = np.concatenate(([np.inf], np.diff(x), [np.inf]))  # gap i is left of edge i
    room = gaps[at] > STEP / 4
    return at[room], knots[room]
