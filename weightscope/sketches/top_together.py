"""The largest and smallest weights of all matrices of a stack at once, on a GPU.

The host waits for nothing: whether a tile has such a weight is not asked, each is searched. Of
equal weights at the end of the list the first by position belong to it: a second search finds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING

from ..lazy import torch
from .sketch import State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ..lazy import numpy as np

SIGNS = (1, -1)  # the largest weights, and the largest negated ones


def start(stack: int, device: str) -> State:
    """Empty lists, (b, ends, weights)."""
    values = torch.zeros(stack, len(SIGNS), 0, dtype=torch.float64, device=device)
    return {"values": values, "positions": torch.zeros_like(values, dtype=torch.int64)}


def add(state: State, tile: Tile, n: int) -> State:
    """The n best of the lists and of a tile."""
    elements = tile.flat.shape[1]
    indices = torch.arange(elements, device=tile.stored.device)
    at = positions(tile, indices, state["columns"])
    found = [_best(tile.flat, sign, at, min(n, elements)) for sign in SIGNS]
    values = torch.stack([values for values, _ in found], 1)
    places = torch.stack([places for _, places in found], 1)
    return merge(state, {"values": values, "positions": places}, n)


def merge(a: State, b: State, n: int) -> State:
    """The n best of both, equals by position."""
    values = torch.cat((a["values"], b["values"]), -1)
    places = torch.cat((a["positions"], b["positions"]), -1)
    by_position = places.argsort(dim=-1)
    by_value = values.gather(-1, by_position).argsort(dim=-1, descending=True, stable=True)
    order = by_position.gather(-1, by_value)[..., :n]
    return {"values": values.gather(-1, order), "positions": places.gather(-1, order)}


def both_ends(state: State) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Values and positions of each matrix, of the largest weights, then of the smallest."""
    signs = torch.tensor(SIGNS)[:, None]
    stack, places = state["values"].cpu(), state["positions"].cpu()
    for of_matrix, at in zip(stack, places, strict=True):
        is_weight = of_matrix > -inf
        yield (of_matrix * signs)[is_weight].numpy(), at[is_weight].numpy()


def positions(tile: Tile, indices: Tensor, columns: int) -> Tensor:
    """Elements of a tile by index in memory order, as positions in the matrix."""
    rows, cols = tile.box.shape
    if tile.mirrored:
        row, column = indices % rows, indices // rows
    else:
        row, column = indices // cols, indices % cols
    return (row + tile.box.rows[0]) * columns + column + tile.box.cols[0]


def best_indices(w: Tensor, at: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """The n largest of each row of w (b, elements) > -inf: values and indices, (b, 2n).

    Of equal values the first by their positions `at`: more than n elements, of which a merge takes
    the first n; -inf where there are fewer.
    """
    nth = w.topk(n).values[:, -1:]
    larger = torch.where(w > nth, w, -inf).topk(n)
    # of those that equal the n-th the first n
    earliest = torch.where(w == nth, -at.double(), -inf).topk(n).indices
    indices = torch.cat((larger.indices, earliest), -1)
    values = w.gather(-1, indices)
    # a search that finds too few fills up with others: those belong to the other search
    belongs = torch.cat((larger.values > -inf, values[:, n:] == nth), -1)
    return torch.where(belongs, values, -inf), indices


def _best(x: Tensor, sign: int, at: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """The same of the finite sign * x, with positions."""
    w = torch.where(x.isfinite(), sign * x.double(), -inf)
    values, indices = best_indices(w, at, n)
    return values, at[indices]
