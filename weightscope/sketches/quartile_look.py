"""A second look at a tensor in bins: exact quartiles, and the weights beyond 4 robust std.

Bins bound each quartile, and so the edge of the central weights, before the look. The look collects
the elements of the bins that have the quartiles, and of the band in which the edge may be; both are
a few in a thousand. Then the quartiles are order statistics, the edge follows from them, and each
element of the band is on its side. All other elements are counted or summed as they come.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING

from ..lazy import numpy as np
from ..lazy import torch
from .count_bins import bin_codes
from .power_sums import PowerSums
from .quantiles import IQR_OF_NORMAL, resolved

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from .spans import Edge, Span
    from .tile import Scratch, Tile
    from .value_counts import ValueCounts

    Values = NDArray[np.float64]
    Indices = NDArray[np.int64]

QUARTILES = (0.25, 0.5, 0.75)
ROBUST = 4  # robust std from the median: the edge of the central weights
MOST = 16  # one element in so many may be in the bins of the quartiles
SMALLEST = 2.0**-126  # bins of subnormals are shared by both signs
CLOSE = 2.0**-20  # of an edge: float64 values are put into bins by their rounded float32


@dataclass(frozen=True, eq=False)
class QuartileBins:
    """The bins of the order statistics on both sides of each quartile."""

    counts: ValueCounts
    ranks: NDArray[np.int64]  # (3, 2)
    cells: NDArray[np.int64]  # (3, 2), of each rank

    @staticmethod
    def of(counts: ValueCounts) -> QuartileBins | None:
        """None for exact values, and where bins are too wide or shared by subnormals."""
        if counts.exact or counts.n < 2 or not resolved(counts):
            return None
        below = (np.array(QUARTILES) * (counts.n - 1)).astype(np.int64)
        above = np.minimum(below + 1, counts.n - 1)
        ranks = np.stack((below, above), 1)
        cells = np.searchsorted(np.cumsum(counts.counts), ranks, side="right")
        bins = QuartileBins(counts, ranks, cells)
        collected = bins.collected
        tiny = np.abs(counts.value[collected]) < SMALLEST
        many = MOST * counts.counts[collected].sum() > counts.n
        if tiny.any() or many or bins.least_scale <= 0 or bins.inner[1] <= 0:
            return None
        return bins

    @property
    def collected(self) -> NDArray[np.int64]:
        """Distinct cells, ascending, without that of zero, whose elements need no look."""
        cells = np.unique(self.cells)
        collected: NDArray[np.int64] = cells[self.counts.value[cells] != 0]
        return collected

    @property
    def codes(self) -> list[int]:
        """The upper halves of the float32 words in the collected cells."""
        middles = self.counts.value[self.collected].astype(np.float32)
        upper: list[int] = (middles.view(np.uint32) >> 16).tolist()
        return upper

    @property
    def least(self) -> Values:
        """(3,) lower bounds of the quartiles."""
        low = np.where(self._is_zero, 0.0, self.counts.low[self.cells])[:, 0]
        return low - CLOSE * np.abs(low)

    @property
    def greatest(self) -> Values:
        """(3,) upper bounds of the quartiles."""
        high = np.where(self._is_zero, 0.0, self.counts.high[self.cells])[:, 1]
        return high + CLOSE * np.abs(high)

    @property
    def _is_zero(self) -> NDArray[np.bool_]:
        is_zero: NDArray[np.bool_] = self.counts.value[self.cells] == 0
        return is_zero

    @property
    def least_scale(self) -> float:
        """A lower bound of robust_std."""
        return float(self.least[2] - self.greatest[0]) / IQR_OF_NORMAL

    @property
    def inner(self) -> Edge:
        """Elements within this edge are central."""
        slack = float(self.greatest[1] - self.least[1]) / 2
        return self._centre, ROBUST * self.least_scale - slack

    @property
    def outer(self) -> Edge:
        """Elements beyond this edge are not."""
        slack = float(self.greatest[1] - self.least[1]) / 2
        most_scale = float(self.greatest[2] - self.least[0]) / IQR_OF_NORMAL
        return self._centre, ROBUST * most_scale + slack

    @property
    def _centre(self) -> float:
        return float(self.least[1] + self.greatest[1]) / 2

    def edge(self, elements: Values) -> Edge:
        """Median and 4 robust_std, from all elements of the collected cells."""
        ordered = np.sort(elements)
        upto = np.cumsum(self.counts.counts)
        before = upto - self.counts.counts
        collected_counts = self.counts.counts[self.collected]
        starts = np.cumsum(collected_counts) - collected_counts
        pairs = np.zeros(self.ranks.shape)
        for cell, start in zip(self.collected, starts, strict=True):
            here = self.cells == cell
            pairs[here] = ordered[start + self.ranks[here] - before[cell]]
        exact_ranks = np.array(QUARTILES) * (self.counts.n - 1)
        low, middle, high = pairs[:, 0] + np.diff(pairs)[:, 0] * (exact_ranks - self.ranks[:, 0])
        return float(middle), ROBUST * float(high - low) / IQR_OF_NORMAL


@dataclass(eq=False)
class Collected:
    """What a look has collected: elements of the quartiles' bins, and of the band of the edge."""

    elements: list[Values] = field(default_factory=list)
    rows: list[Indices] = field(default_factory=list)
    cols: list[Indices] = field(default_factory=list)
    band: list[Values] = field(default_factory=list)

    def collect(
        self, tile: Tile, i: int, bins: QuartileBins, outer: Span, x: Tensor, cut: Tensor
    ) -> tuple[Indices, Indices]:
        """Collects from matrix i of a tile; rows and columns of the elements beyond the band.

        `x` are its finite elements, `cut` the same within the inner edge.
        """
        stored = tile.flat[i]  # NaN is in no bin of a quartile
        words = bin_codes(stored, tile.scratch)
        self.elements.append(elements_of(stored, words, bins.codes, tile.scratch))
        at, values = differing(_in_memory(tile, x), _in_memory(tile, cut), tile.scratch)
        height, width = tile.stored.shape[1:]
        if tile.mirrored:
            cols, rows = np.divmod(at, height)
        else:
            rows, cols = np.divmod(at, width)
        rows = rows + tile.box.rows[0]
        cols = cols + tile.box.cols[0]
        least, greatest = outer
        beyond = (values < least) | (values > greatest)
        self.rows.append(rows[~beyond])
        self.cols.append(cols[~beyond])
        self.band.append(values[~beyond])
        return rows[beyond], cols[beyond]

    def settled(
        self, bins: QuartileBins, rows: Indices, cols: Indices, central: PowerSums
    ) -> tuple[Indices, Indices, PowerSums] | None:
        """Numbers by row and column and sums of central weights; None where robust_std is 0.

        The given ones are those without the band.
        """
        middle, reach = bins.edge(_joined_values(self.elements))
        if not reach > 0:
            return None
        band = _joined_values(self.band)
        beyond = np.abs(band - middle) > reach
        rows = rows + np.bincount(_joined(self.rows)[beyond], minlength=len(rows))
        cols = cols + np.bincount(_joined(self.cols)[beyond], minlength=len(cols))
        inside = band[~beyond] - central.c
        s1 = central.s1 + float(inside.sum())
        s2 = central.s2 + float(np.square(inside).sum())
        n = bins.counts.n - int(rows.sum())
        return rows, cols, PowerSums(n, central.c, s1, s2, nan, nan)


def _joined(parts: list[Indices]) -> Indices:
    """Indices of all tiles."""
    return np.concatenate((np.zeros(0, np.int64), *parts))


def _joined_values(parts: list[Values]) -> Values:
    """Values of all tiles."""
    return np.concatenate((np.zeros(0), *parts))


def _in_memory(tile: Tile, x: Tensor) -> Tensor:
    """One matrix of a tile, or of its buffers, as (elements,) in memory order."""
    if tile.mirrored:
        x = x.mT
    return x.reshape(-1)


def elements_of(x: Tensor, codes: Tensor, wanted: list[int], scratch: Scratch) -> Values:
    """The elements (n,) whose codes are among the wanted ones, in float64."""
    if x.device.type != "cpu":
        return elements_on_device(x, codes, wanted)
    # numpy compares into bytes and finds them several times as fast as torch
    words = codes.numpy()
    found = scratch.take("found", tuple(x.shape), torch.bool).zero_().numpy()
    equal = scratch.take("equal", tuple(x.shape), torch.bool).numpy()
    for code in wanted:
        np.equal(words, code, out=equal)
        np.logical_or(found, equal, out=found)
    return x.numpy()[np.flatnonzero(found)].astype(np.float64)


def elements_on_device(x: Tensor, codes: Tensor, wanted: list[int]) -> Values:
    """`elements_of` in torch."""
    wanted_codes = torch.tensor(wanted, dtype=codes.dtype, device=codes.device)
    elements: Values = x[torch.isin(codes, wanted_codes)].double().cpu().numpy()
    return elements


def differing(x: Tensor, cut: Tensor, scratch: Scratch) -> tuple[Indices, Values]:
    """The indices (k,) at which two tensors (n,) differ, and the elements of the first there."""
    if x.device.type != "cpu":
        return differing_on_device(x, cut)
    found = scratch.take("found", tuple(x.shape), torch.bool).numpy()
    np.not_equal(x.numpy(), cut.numpy(), out=found)
    indices = np.flatnonzero(found)
    return indices, x.numpy()[indices].astype(np.float64)


def differing_on_device(x: Tensor, cut: Tensor) -> tuple[Indices, Values]:
    """`differing` in torch."""
    at = torch.ne(x, cut).nonzero()[:, 0]
    return at.cpu().numpy(), x[at].double().cpu().numpy()
