"""The empirical distribution function at cell edges: even inside a cell, flat between cells.

Knots fill the gaps between edges, since the area between two distribution functions (`w1`) needs
the fitted one there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ..elements.even_cells import share_below

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

STEP = 0.05  # std between knots where no cell edge is near
DENSE = 8.0  # std: knots are STEP apart to there, and 5% apart beyond
FAR = 1e6  # std: the outermost knots, where w1 ends (a law may have no mean)
UNLIKELY = 1e-6  # probability of a cell inside of which weights are spread evenly
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
    in_steps: Cells | None = None  # cells inside of which weights are spread as a law has them


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
        share = np.maximum.accumulate(np.clip(share_below(low, high, cells.share, x), 0.0, 1.0))
        share[-1] = 1.0
    distinct = np.concatenate(([True], x[1:] != x[:-1]))
    share = share[distinct]
    edges = _with_knots(cells, x[distinct], share, share)
    if cells.in_steps:
        return replace(edges, in_steps=cells)
    return edges


def as_spread_by(edges: Edges, cdf: NDArray[np.float64]) -> Edges:
    """The share below each edge, if weights lie inside their cells of steps as the law has them.

    `cdf` is that of the law at the edges. Of weights that follow the law, the mean is `cdf` itself;
    evenly spread they would not have the peak of a law inside a cell. They are where the law has
    none: at 9 sigma a Gaussian's cdf is 1.
    """
    cells = edges.in_steps
    if cells is None:
        return edges
    low = cdf[np.searchsorted(edges.x, cells.low)]
    high = cdf[np.searchsorted(edges.x, cells.high)]
    likely = high - low > UNLIKELY
    even = ~likely
    share = share_below(low[likely], high[likely], cells.share[likely], cdf, UNLIKELY)
    share += share_below(cells.low[even], cells.high[even], cells.share[even], edges.x)
    return replace(edges, before=share, after=share, middle=share)


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
