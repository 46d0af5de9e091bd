"""TopChanges -> ChangedElements: the n elements of D = B - A furthest from 0, with A and B."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from .beside import numbers
from .sketch import Cut, Passes, State
from .tile import Tile
from .top_together import best_indices, positions

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class ChangedElements:
    """Positions and values (float64), the largest |b - a| first, equals by position."""

    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    a: NDArray[np.float64]
    b: NDArray[np.float64]

    def forget(self) -> None:
        """Positions belong to one matrix."""

    def __add__(self, other: ChangedElements) -> ChangedElements:
        raise TypeError("changed elements of different tensors do not add")


@dataclass(frozen=True)
class TopChanges:
    """Taken of D; `others` are the labels of its terms, A and B. NaN and Inf are excluded."""

    n: int
    others: tuple[str, str]
    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """Four numbers an element, twice."""
        return 64 * min(self.n, max(1, shape[0] * shape[1]))

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """No elements."""
        # |d|, position, a, b
        empty = torch.zeros(stack, 4, 0, dtype=torch.float64, device=device)
        return {"best": empty if device != "cpu" else list(empty), "columns": shape[1]}

    def add(self, state: State, tile: Tile) -> State:
        """Searches a tile whose largest |d| belongs to the list."""
        if not tile.box.size:
            return state
        if tile.scratch.device != "cpu":
            both = torch.cat((state["best"], self._of_stack(state, tile)), -1)
            return state | {"best": _first(both, self.n)}
        best = [self._joined(state, tile, i) for i in range(tile.stack)]
        return state | {"best": best}

    def merge(self, a: State, b: State) -> State:
        """The n best of both."""
        if not isinstance(a["best"], list):
            return a | {"best": _first(torch.cat((a["best"], b["best"]), -1), self.n)}
        pairs = zip(a["best"], b["best"], strict=True)
        return a | {"best": [_first(torch.cat(pair, 1), self.n) for pair in pairs]}

    def finish(self, state: State) -> Sequence[ChangedElements]:
        """One record per matrix."""
        records = []
        stack = state["best"]
        if not isinstance(stack, list):
            stack = stack.cpu()
        for best in stack:
            _, positions, a, b = best[:, best[0] > -inf].numpy()
            rows, cols = np.divmod(positions.astype(np.int64), max(1, state["columns"]))
            records.append(ChangedElements(rows, cols, a, b))
        return records

    def _joined(self, state: State, tile: Tile, i: int) -> Tensor:
        """The best elements of matrix i, with those of the tile."""
        best: Tensor = state["best"][i]
        size = tile.values[i].abs()  # (rows, columns)
        size.nan_to_num_(-inf, -inf)
        bound = float(best[0, -1]) if best.shape[1] == self.n else -inf
        if float(size.max()) < bound:
            return best
        kth = size.flatten().topk(min(self.n, size.numel())).values[-1]
        row, col = ((size >= max(float(kth), bound)) & (size > -inf)).nonzero(as_tuple=True)
        position = (row + tile.box.rows[0]) * state["columns"] + col + tile.box.cols[0]
        found = [size[row, col], position]
        found += [tile.beside[label].values[i][row, col] for label in self.others]
        here = torch.stack([x.double() for x in found])
        return _first(torch.cat((best, here), 1), self.n)

    def _of_stack(self, state: State, tile: Tile) -> Tensor:
        """(b, 4, elements) the best of a tile of all matrices, on a GPU; |d| = -inf for none."""
        d = tile.flat.double()
        elements = d.shape[1]
        at = positions(tile, torch.arange(elements, device=d.device), state["columns"])
        size = d.abs().nan_to_num_(-inf, -inf)
        size, indices = best_indices(size, at, min(self.n, elements))
        terms = [numbers(tile, tile.beside[label]).gather(-1, indices) for label in self.others]
        return torch.stack([size, at[indices].double(), *(x.double() for x in terms)], 1)


def _first(elements: Tensor, n: int) -> Tensor:
    """Of (..., 4, elements) the n of largest |d|, equals by position."""
    by_position = elements[..., 1, :].argsort(stable=True)
    sizes = elements[..., 0, :].gather(-1, by_position)
    by_size = sizes.argsort(descending=True, stable=True)
    order = by_position.gather(-1, by_size)[..., :n]
    return elements.gather(-1, order[..., None, :].expand(*elements.shape[:-1], -1))
