"""Top(n) -> TopWeights: the n largest and the n smallest weights and their positions.

The result is the same for any tiling. |w - mean| needs the mean, which is known only after the
pass; but the n weights furthest from any point are among the n largest and the n smallest. A tile
whose extremes do not exceed the n-th weight so far costs one `aminmax` of its stored elements.
Equal weights are ordered by position, row by row; -0 equals 0; NaN and Inf are excluded (see
`Count`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd, inf
from typing import TYPE_CHECKING, ClassVar

from ..dtypes import DTYPES
from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from . import top_together
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

# Elements of a searched tile are arranged in 64 lines: the maximum of each column is fast, and a
# column with a large maximum has only 64 elements to compare.
LINES = 64


@dataclass(frozen=True, eq=False)
class TopWeights:
    """The extreme weights, each once, ordered by row and column."""

    values: NDArray[np.float64]
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]

    def furthest(self, mean: float, n: int) -> NDArray[np.int64]:
        """Indices of the `n` weights furthest from `mean`, the furthest first, equals by position.

        `n` is at most that of the measure.

        >>> corner = TopWeights(np.array([3.0, -4.0, 0.5]), np.arange(3), np.arange(3))
        >>> corner.furthest(0.0, 2).tolist()
        [1, 0]
        """
        distance = np.abs(self.values - mean)
        return np.argsort(-distance, kind="stable")[:n]

    def forget(self) -> None:
        """Positions belong to one matrix."""

    def __add__(self, other: TopWeights) -> TopWeights:
        raise TypeError("top weights of different tensors do not add")


@dataclass(frozen=True)
class Top:
    """Both ends, n >= 1 weights of each: the largest weights, and the largest negated weights."""

    n: int
    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """Values and positions of both ends, and as much for a tile's."""
        elements = max(1, shape[0] * shape[1])
        return 64 * min(self.n, elements)

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Empty ends."""
        values = torch.zeros(0, dtype=torch.float64, device=device)
        positions = torch.zeros(0, dtype=torch.int64, device=device)
        empty = _End(values, positions)
        if device != "cpu":
            return top_together.start(stack, device) | {"columns": shape[1]}
        return {"ends": [[empty, empty] for _ in range(stack)], "columns": shape[1]}

    def add(self, state: State, tile: Tile) -> State:
        """Computes a tile's extremes, and searches the tile where they belong to an end."""
        if not tile.box.size:
            return state
        if "ends" not in state:
            return state | top_together.add(state, tile, self.n)
        extremes = [torch.stack(torch.aminmax(x)) for x in _comparable(tile)]
        columns = state["columns"]
        first = tile.box.rows[0] * columns + tile.box.cols[0]
        for i, (low, high) in enumerate(torch.stack(extremes).tolist()):
            ends = state["ends"][i]
            for k, sign, largest in ((0, 1, high), (1, -1, -low)):
                end = ends[k]
                if end.beats(largest, first):
                    continue
                values, indices = _best(tile.flat[i], sign, end.bound, self.n)
                positions = top_together.positions(tile, indices, columns)
                ends[k] = end.joined(values, positions, self.n)
        return state

    def merge(self, a: State, b: State) -> State:
        """The n best of both, for each end."""
        if "ends" not in a:
            return a | top_together.merge(a, b, self.n)
        merged = []
        for (a_high, a_low), (b_high, b_low) in zip(a["ends"], b["ends"], strict=True):
            high = a_high.joined(b_high.values, b_high.positions, self.n)
            low = a_low.joined(b_low.values, b_low.positions, self.n)
            merged.append([high, low])
        return a | {"ends": merged}

    def finish(self, state: State) -> Sequence[TopWeights]:
        """One record per matrix, of both ends; a weight of both ends occurs once."""
        columns = max(1, state["columns"])
        records = []
        for values, positions in self._both_ends(state):
            unique, indices = np.unique(positions, return_index=True)
            rows, cols = np.divmod(unique, columns)
            records.append(TopWeights(values[indices], rows, cols))
        return records

    def _both_ends(self, state: State) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
        """Values and positions of each matrix, of the largest weights, then of the smallest."""
        if "ends" not in state:
            yield from top_together.both_ends(state)
            return
        for high, low in state["ends"]:
            values = torch.cat((high.values, -low.values)).cpu().numpy()
            positions = torch.cat((high.positions, low.positions)).cpu().numpy()
            yield values, positions


@dataclass(frozen=True, eq=False)
class _End:
    """The largest values (float64, descending) with their positions row * columns + column.

    Once there are n, `bound` is the smallest of them and `last` its position: another value belongs
    to the end if it is larger, or equal at an earlier position.
    """

    values: Tensor
    positions: Tensor
    bound: float = -inf
    last: int = 0

    def beats(self, largest: float, first: int) -> bool:
        """Whether no value up to `largest`, at `first` or later, belongs to the end.

        False where `largest` is NaN.
        """
        if largest == self.bound:
            return first > self.last
        return largest < self.bound

    def joined(self, values: Tensor, positions: Tensor, n: int) -> _End:
        """The n largest of both."""
        values = torch.cat((self.values, values))
        positions = torch.cat((self.positions, positions))
        by_position = positions.argsort()
        by_value = values[by_position].argsort(descending=True, stable=True)
        order = by_position[by_value][:n]
        values, positions = values[order], positions[order]
        if len(values) < n:
            return _End(values, positions)
        return _End(values, positions, float(values[-1]), int(positions[-1]))


def _comparable(tile: Tile) -> Tensor:
    """(b, elements): stored elements where torch compares them correctly, else the values."""
    dtype = DTYPES[tile.dtype]
    if dtype.negatable and dtype.bits < 64:
        return tile.dense
    return tile.flat


def _best(x: Tensor, sign: int, bound: float, n: int) -> tuple[Tensor, Tensor]:
    """The n largest finite sign * x (elements) that are at least `bound`, and their indices.

    More than n where several equal the n-th.
    """
    lines = x.view(gcd(len(x), LINES), -1)
    if sign > 0:
        extremes = lines.amax(0)
    else:
        extremes = lines.amin(0)
    if bound == -inf:
        # Each of n columns has a weight of at least the n-th largest extreme.
        bound = _nth_largest(extremes, sign, n)
    reaches = ~(extremes < bound) if sign > 0 else ~(extremes > -bound)  # also true for NaN
    columns = reaches.nonzero()[:, 0]
    w = lines[:, columns].double() * sign
    chosen = w.isfinite() & (w >= bound)
    if int(chosen.sum()) > n:
        nth = w[chosen].topk(n).values[-1]
        chosen &= w >= nth
    line, column = chosen.nonzero(as_tuple=True)
    return w[line, column], line * lines.shape[1] + columns[column]


def _nth_largest(x: Tensor, sign: int, n: int) -> float:
    """The n-th largest finite sign * x, -inf where there are fewer."""
    finite = x[x.isfinite()]
    if len(finite) < n:
        return -inf
    nth = finite.topk(n, largest=sign > 0).values[-1]
    return sign * float(nth)
