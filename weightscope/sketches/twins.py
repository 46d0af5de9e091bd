"""Twins -> TwinRows: which rows of a matrix have an equal among the others, for a fraction of what hashing all costs.

The first pass adds up 32 bits a row of what is cheap to see: magnitudes, of wide floats to eight bits. Equal rows agree
in them; where others do too, in ordinary matrices a few rows or none, `Hashes` of those alone settle it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..dtypes import DTYPES, decoded
from ..geometry import Box, Shape
from ..heavy import numpy as np
from ..heavy import torch
from .hashes import Hashes, odd_factors
from .sketch import Again, Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class TwinRows:
    """Rows that equal another (int64, ascending, zero rows too) and their hashes (uint64): equal rows have equal ones.

    Equal as `Hashes` has it: -0 is +0, and rows of zeros have 0.
    """

    rows: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    def forget(self) -> None:
        """Rows have positions: twins of different tensors are not pooled."""

    def __add__(self, other: TwinRows) -> TwinRows:
        raise TypeError("twin rows of different tensors do not add")


@dataclass(frozen=True)
class Twins:
    """Sums of every row, then hashes of those that share theirs."""

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "more"

    def bytes(self, shape: Shape) -> int:
        """A sum a row and a factor a column; at worst the hashes of all rows."""
        return 4 * sum(shape) + Hashes().bytes(shape)

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero sums; the factors, which follow from the column alone."""
        return {
            "sums": torch.zeros(stack, shape[0], dtype=torch.int32, device=device),
            "factors": torch.from_numpy(odd_factors(1, shape[1])[0]).to(device),
            "mask": _unsigned(dtype) if DTYPES[dtype].narrow else 0,
            "cast": (shape, dtype, device),
            "alike": None,
            "hashed": [],
        }

    def add(self, state: State, tile: Tile) -> State:
        """A tile's part of each row's sum; then of the hashes of the rows that are alike."""
        if not tile.box.size:
            return state
        if state["alike"] is not None:
            return state | {"hashed": [_hashed(i, *seen, tile) for i, seen in enumerate(_both(state))]}
        words = _magnitudes(tile, state["mask"]).mul_(state["factors"][slice(*tile.box.cols)])
        state["sums"][:, slice(*tile.box.rows)] += words.sum(-1, dtype=torch.int32)
        return state

    def merge(self, a: State, b: State) -> State:
        """Which rows are hashed follows from all sums: one worker takes both."""
        raise TypeError("twins are looked for in one run")

    def finish(self, state: State) -> Sequence[TwinRows] | Again:
        """The second look, if any rows are alike; then those whose hashes are."""
        if state["alike"] is not None:
            return [_twins(rows, Hashes().finish(hashed)[0].rows) for rows, hashed in _both(state)]
        alike = [_repeated(sums) for sums in state["sums"].cpu().numpy()]
        shape, dtype, device = state["cast"]
        hashed = [Hashes().start(1, (len(rows), shape[1]), dtype, device) for rows in alike]
        again = state | {"alike": alike, "hashed": hashed}
        return Again(again) if any(len(rows) for rows in alike) else self.finish(again)


def _both(state: State) -> zip[tuple[NDArray[np.int64], State]]:
    """Of each matrix the rows that are alike, and their hashes so far."""
    return zip(state["alike"], state["hashed"], strict=True)


def _magnitudes(tile: Tile, mask: int) -> Tensor:
    """int32 (b, rows, columns) that is equal where content is, and the same for -0 and +0.

    Narrow words under a mask, wide floats without their sign to 16 bits, the lower 32 bits of wide integers.
    """
    kind, b = DTYPES[tile.dtype], tile.stack
    r, n = tile.box.shape
    words = tile.scratch.take("words 32", (b, r * n), torch.int32)
    if kind.narrow:
        torch.bitwise_and(tile.patterns, mask, out=words)
    else:
        halves = tile.dense.view(torch.int32).view(b, r * n, -1)
        if kind.kind == "float":
            torch.bitwise_left_shift(halves[..., -1], 1, out=words).bitwise_right_shift_(16)
        else:
            words.copy_(halves[..., 0])
    return words.view(b, n, r).mT if tile.mirrored else words.view(b, r, n)


def _unsigned(dtype: str) -> int:
    """The bits of a narrow word that hold no sign: all of them in a type without -0."""
    zeros = np.flatnonzero(decoded(dtype) == 0)
    return (1 << DTYPES[dtype].bits) - 1 - int(zeros.max(initial=0))


def _hashed(i: int, rows: NDArray[np.int64], hashes: State, tile: Tile) -> State:
    """The hashes after what a tile has of the rows that are alike in one matrix."""
    first, last = np.searchsorted(rows, tile.box.rows)
    if first == last:
        return hashes
    inside = torch.from_numpy(rows[first:last] - tile.box.rows[0]).to(tile.stored.device)
    box = Box((int(first), int(last)), tile.box.cols)
    part = tile.stored[i : i + 1].index_select(1, inside)
    return Hashes().add(hashes, Tile(part, tile.dtype, box, (len(rows), tile.shape[1]), tile.axis, tile.scratch))


def _twins(rows: NDArray[np.int64], hashes: NDArray[np.uint64]) -> TwinRows:
    found = _repeated(hashes)
    return TwinRows(rows[found], hashes[found])


def _repeated(x: NDArray[Any]) -> NDArray[np.int64]:
    """Where the values stand that occur more than once."""
    _, which, counts = np.unique(x, return_inverse=True, return_counts=True)
    return np.flatnonzero(counts[which] > 1)
