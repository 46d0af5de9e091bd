"""The distribution function of weights that are spread evenly over cells, and its quantiles.

Cells may overlap: those of different stored types, and those of steps that differ by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NARROW = 1e-4  # std: shares of the narrowest cells that rise evenly are differences of ramps


def share_below(
    low: Floats, high: Floats, share: Floats, x: Floats, narrow: float = NARROW
) -> Floats:
    """The share below x: wide cells rise evenly, of narrow ones that hold x half counts.

    >>> zero, one = np.array([0.0]), np.array([1.0])
    >>> share_below(zero, one, one, np.array([0.25])).tolist()
    [0.25]
    """
    wide = high - low > narrow
    slim = ~wide
    at_most = _share_of_edges(low[slim], share[slim], x, "left")
    at_least = _share_of_edges(high[slim], share[slim], x, "right")
    total = (at_most + at_least) / 2
    if wide.any():
        total += _evenly_below(low[wide], high[wide], share[wide], x)
    return total


def quantiles(low: Floats, high: Floats, share: Floats, q: Sequence[float]) -> Floats:
    """The values below which the shares q of all weights lie.

    >>> zero, one = np.array([0.0]), np.array([1.0])
    >>> quantiles(zero, one, one, [0.25]).tolist()
    [0.25]
    """
    x = np.unique(np.concatenate((low, high)))
    return _inverse(x, share_below(low, high, share, x), np.asarray(q))


def quantiles_of_size(
    low: Floats, high: Floats, share: Floats, q: Floats, narrow: float = NARROW
) -> Floats:
    """The sizes |w| below which the shares q of all weights lie."""
    x = np.unique(np.abs(np.concatenate(([0.0], low, high))))
    below = share_below(low, high, share, x, narrow) - share_below(low, high, share, -x, narrow)
    return _inverse(x, below, q)


def _inverse(x: Floats, below: Floats, q: Floats) -> Floats:
    rising = np.maximum.accumulate(below)
    return np.asarray(np.interp(q * rising[-1], rising, x))


def _evenly_below(low: Floats, high: Floats, share: Floats, x: Floats) -> Floats:
    """The share below x, where each cell rises evenly: ramps that begin less ramps that ended."""
    slope = share / (high - low)
    return _ramps(low, slope, x) - _ramps(high, slope, x)


def _ramps(start: Floats, slope: Floats, x: Floats) -> Floats:
    """Sum of slope (x - start) over the starts below x."""
    order = np.argsort(start, kind="stable")
    slopes = np.concatenate(([0.0], np.cumsum(slope[order])))
    offsets = np.concatenate(([0.0], np.cumsum(slope[order] * start[order])))
    begun = np.searchsorted(start[order], x, "left")
    return slopes[begun] * x - offsets[begun]


def _share_of_edges(
    edge: Floats, share: Floats, x: Floats, side: Literal["left", "right"]
) -> Floats:
    """The share of cells whose `edge` lies below x."""
    order = np.argsort(edge, kind="stable")
    total = np.concatenate(([0.0], np.cumsum(share[order])))
    return np.minimum(total, 1.0)[np.searchsorted(edge[order], x, side)]
