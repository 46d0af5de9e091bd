"""SharedOutliers -> OutlierPositions: positions at which k vectors are far from their medians.

The first pass counts the values of each vector; the second counts elements with
|d - median| > 4 robust_std, by vector and by pair. Where the quartiles are equal, as those of
sparse changes are, robust_std is 0 and every element that differs from the median is beyond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from .chunks import buffer_bytes, chunks, rows_of
from .count import Count
from .quantiles import median, robust_std
from .quartile_look import ROBUST
from .sketch import Again, Cut, Passes, State
from .spans import Edge
from .tile import Scratch, Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from .value_counts import ValueCounts

    Counts = NDArray[np.int64]

COUNT = Count()


@dataclass(frozen=True, eq=False)
class OutlierPositions:
    """n elements that are finite in every one of k vectors.

    `beyond` (k,) of them are beyond the threshold of a vector, `shared` (k, k) of both. A vector is
    `unresolved` (k,) where its counts are bins too wide for quartiles: nothing is counted of it.
    """

    n: int
    beyond: Counts
    shared: Counts
    unresolved: NDArray[np.bool_]

    def among(self, chosen: Sequence[int]) -> OutlierPositions:
        """The positions of some of the vectors, in this order."""
        at = list(chosen)
        shared = self.shared[np.ix_(at, at)]
        return OutlierPositions(self.n, self.beyond[at], shared, self.unresolved[at])

    def forget(self) -> OutlierPositions:
        """Numbers have no positions; they remain those beyond each tensor's own thresholds."""
        return self

    def __add__(self, other: OutlierPositions) -> OutlierPositions:
        """Numbers add; a vector that is unresolved in one is in the sum."""
        return OutlierPositions(
            self.n + other.n,
            self.beyond + other.beyond,
            self.shared + other.shared,
            self.unresolved | other.unresolved,
        )


@dataclass(frozen=True)
class SharedOutliers:
    """Taken of the first vector; `others` are the labels of the others, in their order.

    Law: every number equals numpy's on the whole vectors in float64, with the quantiles of `Count`.
    """

    others: tuple[str, ...]
    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "more"

    def bytes(self, shape: Shape) -> int:
        """The histograms of each vector, a few small matrices, and the buffers of a chunk."""
        return self.bytes_on(shape, "cpu")

    def bytes_on(self, shape: Shape, device: str) -> int:
        """The same of a device: a GPU has larger chunks."""
        k = 1 + len(self.others)
        chunk = buffer_bytes(k, shape[0] * shape[1], device)
        return k * COUNT.bytes_on(shape, device) + 16 * k * k + chunk

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """No counts: the types of the other vectors are those of their tiles."""
        k = 1 + len(self.others)
        return {
            "stack": stack,
            "shape": shape,
            "device": device,
            "counted": None,
            "edges": None,
            "n": torch.zeros(stack, dtype=torch.int64, device=device),
            "shared": torch.zeros(stack, k, k, dtype=torch.int64, device=device),
        }

    def add(self, state: State, tile: Tile) -> State:
        """Counts the values of a tile; in the second pass, its elements beyond the thresholds."""
        if not tile.box.size:
            return state
        if state["edges"] is None:
            return state | {"counted": self._counted(state, tile)}
        rows = rows_of(tile, self.others)
        for i, x in chunks(tile, rows):
            n, shared = _shared(x, state["edges"][i], tile.scratch)
            state["n"][i] += n
            state["shared"][i] += shared
        return state

    def merge(self, a: State, b: State) -> State:
        """The second pass begins after the counts are complete, so one worker folds all tiles."""
        raise TypeError("elements beyond thresholds are counted in one run")

    def finish(self, state: State) -> Sequence[OutlierPositions] | Again:
        """The second pass, or one record per matrix."""
        if state["edges"] is None and state["counted"] is not None:
            by_vector = [COUNT.finish(counted) for counted in state["counted"]]
            by_matrix = zip(*by_vector, strict=True)
            edges = [[_edge(counts) for counts in vectors] for vectors in by_matrix]
            return Again(state | {"counted": None, "edges": edges})
        k = 1 + len(self.others)
        edges = state["edges"] or [[(0.0, 0.0)] * k] * state["stack"]
        records = []
        counts = zip(state["n"].tolist(), state["shared"].cpu().numpy(), edges, strict=True)
        for n, shared, of_matrix in counts:
            unresolved = np.array([edge is None for edge in of_matrix])
            beyond = np.diagonal(shared).copy()
            records.append(OutlierPositions(n, beyond, shared, unresolved))
        return records

    def _counted(self, state: State, tile: Tile) -> list[State]:
        """The counts of every vector with those of one tile."""
        tiles = [tile, *(tile.beside[label] for label in self.others)]
        counted = state["counted"]
        if counted is None:
            counted = [
                COUNT.start(state["stack"], state["shape"], one.dtype, state["device"])
                for one in tiles
            ]
        return [COUNT.add(before, one) for before, one in zip(counted, tiles, strict=True)]


def _edge(counts: ValueCounts) -> Edge | None:
    """Median and 4 robust_std; None where bins are too wide for them.

    Of a vector without finite elements any edge will do: it has no elements that are counted.
    """
    if not counts.n:
        return 0.0, 0.0
    if not counts.exact and counts.minimum < counts.maximum:
        upto = np.cumsum(counts.counts)
        first, last = np.searchsorted(upto, counts.n * np.array((0.25, 0.75)))
        if first == last and counts.value[first] == 0:  # a bin of zeros alone
            return 0.0, 0.0
        if first == last:
            return None
    middle, scale = median(counts), robust_std(counts)
    if middle is None or scale is None:
        return None
    return middle, ROBUST * scale


def _shared(
    x: Tensor, edges: Sequence[Edge | None], scratch: Scratch
) -> tuple[Tensor | int, Tensor]:
    """The number of elements finite in every row of x, and of those beyond in both of two rows.

    Overwrites x. Sums of ones in float32 are exact: a chunk has fewer than 2^24 elements.
    """
    n: Tensor | int = x.shape[1]
    if scratch.device != "cpu":  # NaN is beyond nothing: nothing is asked of a GPU
        finite = x.isfinite().all(0)
        x.masked_fill_(~finite, nan)
        n = finite.sum()
    elif not bool(x.sum(1).isfinite().all()):  # a finite sum has finite terms only
        finite = x.isfinite().all(0)
        x = x[:, finite]
        n = x.shape[1]
    beyond = scratch.take("beyond", tuple(x.shape), torch.float32)
    for row, marks, edge in zip(x, beyond, edges, strict=True):
        if edge is None:
            marks.zero_()
            continue
        middle, reach = edge
        torch.gt(row.sub_(middle).abs_(), reach, out=marks)
    return n, (beyond @ beyond.mT).long()
