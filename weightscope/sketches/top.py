"""Top(n) -> TopWeights: the n largest and the n smallest weights with their places, exact for any tiling.

|w - mean| needs the mean, which is known only after the pass; but the n weights furthest from any point are among the n
largest and the n smallest. A tile whose extremes do not pass the n-th kept costs one `aminmax` of what is stored. Equal
weights stand in the order of their places, row by row; -0 equals 0; NaN and Inf are counted elsewhere and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd, inf
from typing import TYPE_CHECKING, ClassVar

from ..dtypes import DTYPES
from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

LINES = 64  # of a tile that is looked into: as many extremes as are quick to take, of as few weights each


@dataclass(frozen=True, eq=False)
class TopWeights:
    """The extreme weights and their rows and columns, each once, by row and column."""

    values: NDArray[np.float64]
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]

    def furthest(self, mean: float, n: int) -> NDArray[np.int64]:
        """Which `n` (at most the measure's) are furthest from `mean`, the furthest first, equals by row and column.

        >>> TopWeights(np.array([3.0, -4.0, 0.5]), np.arange(3), np.arange(3)).furthest(0.0, 2).tolist()
        [1, 0]
        """
        return np.argsort(-np.abs(self.values - mean), kind="stable")[:n]

    def forget(self) -> None:
        """Places belong to one matrix."""

    def __add__(self, other: TopWeights) -> TopWeights:
        raise TypeError("top weights of different tensors do not add")


@dataclass(frozen=True)
class Top:
    """Keeps both ends, n >= 1 of each: the largest weights, and the largest of the negated weights."""

    n: int
    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """Values and places of both ends, and as much of a tile's."""
        return 64 * min(self.n, max(1, shape[0] * shape[1]))

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Nothing kept."""
        none = (
            torch.zeros(0, dtype=torch.float64, device=device),
            torch.zeros(0, dtype=torch.int64, device=device),
        )
        return {"ends": [[_End(*none), _End(*none)] for _ in range(stack)], "columns": shape[1]}

    def add(self, state: State, tile: Tile) -> State:
        """Asks a tile for its extremes, and looks into it where they belong to the ends."""
        if not tile.box.size:
            return state
        extremes = torch.stack([torch.stack(torch.aminmax(x)) for x in _plain(tile)]).tolist()
        first = tile.box.rows[0] * state["columns"] + tile.box.cols[0]
        for i, (ends, (low, high)) in enumerate(zip(state["ends"], extremes, strict=True)):
            for end, sign, most in ((0, 1, high), (1, -1, -low)):
                if not ends[end].beats(most, first):
                    values, at = _best(tile.flat[i], sign, ends[end].bound, self.n)
                    ends[end] = ends[end].joined(
                        values, _places(tile, at, state["columns"]), self.n
                    )
        return state

    def merge(self, a: State, b: State) -> State:
        """The best of both."""
        pairs = [zip(x, y, strict=True) for x, y in zip(a["ends"], b["ends"], strict=True)]
        return a | {
            "ends": [[x.joined(y.values, y.places, self.n) for x, y in pair] for pair in pairs]
        }

    def finish(self, state: State) -> Sequence[TopWeights]:
        """Both ends of each matrix as one."""
        found = []
        for high, low in state["ends"]:
            values, places = (
                torch.cat((high.values, -low.values)),
                torch.cat((high.places, low.places)),
            )
            unique, at = np.unique(places.cpu().numpy(), return_index=True)
            found.append(
                TopWeights(values.cpu().numpy()[at], *np.divmod(unique, max(1, state["columns"])))
            )
        return found


@dataclass(frozen=True, eq=False)
class _End:
    """The largest values (float64, descending), their places row * columns + column, equals by place, and the last."""

    values: Tensor
    places: Tensor
    bound: float = (
        -inf
    )  # what a value has to reach, and before which place to stand where it is equal
    last: int = 0

    def beats(self, most: float, first: int) -> bool:
        """Whether nothing of at most `most` from the place `first` on belongs here; never where `most` is NaN."""
        return most < self.bound or (most == self.bound and first > self.last)

    def joined(self, values: Tensor, places: Tensor, n: int) -> _End:
        """The n largest of both."""
        values, places = torch.cat((self.values, values)), torch.cat((self.places, places))
        by_place = places.argsort()
        order = by_place[values[by_place].argsort(descending=True, stable=True)][:n]
        values, places = values[order], places[order]
        full = len(values) == n
        return _End(
            values, places, float(values[-1]) if full else -inf, int(places[-1]) if full else 0
        )


def _plain(tile: Tile) -> Tensor:
    """(b, elements): as stored where that is what torch compares, else the values."""
    kind = DTYPES[tile.dtype]
    return tile.dense if kind.negatable and kind.bits < 64 else tile.flat


def _best(x: Tensor, sign: int, bound: float, n: int) -> tuple[Tensor, Tensor]:
    """The n largest finite sign * x (elements) of at least `bound`, more where they are equal, and where they are.

    The elements are taken as 64 lines: of their columns only those are looked into whose extreme reaches the bound, and
    n columns have a weight of at least the n-th largest extreme.
    """
    lines = x.view(gcd(len(x), LINES), -1)
    tops = lines.amax(0) if sign > 0 else lines.amin(0)
    if bound == -inf and len(known := tops[tops.isfinite()]) >= n:
        bound = sign * float(known.topk(n, largest=sign > 0).values[-1])
    near = (~(tops < bound) if sign > 0 else ~(tops > -bound)).nonzero()[:, 0]  # NaN too
    w = lines[:, near].double() * sign
    kept = w.isfinite() & (w >= bound)
    if int(kept.sum()) > n:
        kept &= w >= w[kept].topk(n).values[-1]
    line, column = kept.nonzero(as_tuple=True)
    return w[line, column], line * lines.shape[1] + near[column]


def _places(tile: Tile, at: Tensor, columns: int) -> Tensor:
    """Elements of a tile in memory order as places of the matrix."""
    rows, cols = tile.box.shape
    row, column = (at % rows, at // rows) if tile.mirrored else (at // cols, at % cols)
    return (row + tile.box.rows[0]) * columns + column + tile.box.cols[0]
