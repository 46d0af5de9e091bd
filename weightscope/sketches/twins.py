"""Twins -> TwinRows: which rows of a matrix have an equal among the others, for a fraction of what hashing all costs.

The first pass adds up 32 bits a row. Equal rows agree in them; where others do too, in ordinary matrices a few rows or
none, `Hashes` of those alone settle it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ..dtypes import DTYPES, decoded
from ..geometry import Box, Shape
from ..lazy import numpy as np
from ..lazy import torch
from .hashes import MIX, Hashes, odd_factors
from .sketch import Again, Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class TwinRows:
    """Rows that equal another (int64, ascending, zero rows too) and their hashes (uint64): equal rows have equal ones.

    Equal as `Hashes` has it: -0 is +0, and rows of zeros have 0. `sums` (int32) of every row, in order, tell tensors of
    one type and shape apart: equal ones agree; where one element of a row differs, its sum does (in 64-bit types nearly
    always); where more do, but for a chance of 2^-31, or 2^-16 where 16-bit words differ in their signs alone.
    """

    rows: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    sums: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))

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
        """A sum a row and a factor a column; at worst the places and hashes of all rows."""
        return 4 * sum(shape) + 8 * shape[0] + Hashes().bytes(shape)

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero sums; the factors, which follow from the column alone."""
        return {
            "sums": torch.zeros(stack, shape[0], dtype=torch.int32, device=device),
            "factors": torch.from_numpy(odd_factors(1, shape[1])[0]).to(device),
            "minus": _minus_zero(dtype) if DTYPES[dtype].narrow else 0,
            "cast": (shape, dtype, device),
            "alike": None,
            "hashed": [],
        }

    def add(self, state: State, tile: Tile) -> State:
        """A tile's part of each row's sum; then of the hashes of the rows that are alike."""
        if not tile.box.size:
            return state
        if state["alike"] is not None:
            return state | {
                "hashed": [_hashed(i, *seen, tile) for i, seen in enumerate(_both(state))]
            }
        words = _narrow(tile, state["minus"]) if DTYPES[tile.dtype].narrow else _wide(tile)
        words.mul_(state["factors"][slice(*tile.box.cols)])
        state["sums"][:, slice(*tile.box.rows)] += words.sum(-1, dtype=torch.int32)
        return state

    def merge(self, a: State, b: State) -> State:
        """Which rows are hashed follows from all sums: one worker takes both."""
        raise TypeError("twins are looked for in one run")

    def finish(self, state: State) -> Sequence[TwinRows] | Again:
        """The second look, if any rows are alike; then those whose hashes are."""
        if state["alike"] is not None:
            sums = state["sums"].cpu().numpy()
            return [_twins(seen, own) for seen, own in zip(_both(state), sums, strict=True)]
        alike = [_repeated(sums) for sums in state["sums"].cpu().numpy()]
        shape, dtype, device = state["cast"]
        hashed = [Hashes().start(1, (len(rows), shape[1]), dtype, device) for rows in alike]
        again = state | {"alike": alike, "hashed": hashed}
        return Again(again) if any(len(rows) for rows in alike) else self.finish(again)


def _both(state: State) -> zip[tuple[NDArray[np.int64], State]]:
    """Of each matrix the rows that are alike, and their hashes so far."""
    return zip(state["alike"], state["hashed"], strict=True)


def _narrow(tile: Tile, minus: int) -> Tensor:
    """The words (b, rows, columns) of a narrow type, -0 as 0, in a buffer."""
    words = tile.patterns
    return _placed(
        torch.ne(words, minus, out=_spare(tile)).mul_(words), tile
    )  # as fast as a look for -0


def _wide(tile: Tile) -> Tensor:
    """One int32 (b, rows, columns) for each word of 32 or 64 bits, -0 as 0, the sign in lower bits too; in a buffer.

    Under a factor the highest bit alone would tell how many signs a row has, and not where. 32 bits stay different.
    """
    x = tile.dense
    if DTYPES[tile.dtype].kind == "float":
        x = torch.add(
            x, 0.0, out=tile.scratch.take(f"positive {x.dtype}", tuple(x.shape), x.dtype)
        )  # -0 + 0 is +0
    words, spare = x.view(torch.int32), _spare(tile)
    if DTYPES[tile.dtype].bits == 64:
        words = torch.add(words[:, 0::2], words[:, 1::2], alpha=MIX)
    return _placed(torch.bitwise_right_shift(words, 15, out=spare).bitwise_xor_(words), tile)


def _spare(tile: Tile) -> Tensor:
    return tile.scratch.take("words 32", (tile.stack, tile.box.size), torch.int32)


def _placed(words: Tensor, tile: Tile) -> Tensor:
    """(b, elements) in memory order as (b, rows, columns)."""
    b, (r, n) = tile.stack, tile.box.shape
    return words.view(b, n, r).mT if tile.mirrored else words.view(b, r, n)


def _minus_zero(dtype: str) -> int:
    """The word of -0 in a narrow type; 0 in one without."""
    return int(np.flatnonzero(decoded(dtype) == 0).max(initial=0))


def _hashed(i: int, rows: NDArray[np.int64], hashes: State, tile: Tile) -> State:
    """The hashes after what a tile has of the rows that are alike in one matrix."""
    first, last = np.searchsorted(rows, tile.box.rows)
    if first == last:
        return hashes
    inside = torch.from_numpy(rows[first:last] - tile.box.rows[0]).to(tile.stored.device)
    box = Box((int(first), int(last)), tile.box.cols)
    part = tile.stored[i : i + 1].index_select(1, inside)
    return Hashes().add(
        hashes, Tile(part, tile.dtype, box, (len(rows), tile.shape[1]), tile.axis, tile.scratch)
    )


def _twins(seen: tuple[NDArray[np.int64], State], sums: NDArray[np.int32]) -> TwinRows:
    """Of the rows that are alike in one matrix, those whose hashes are."""
    rows, hashes = seen[0], Hashes().finish(seen[1])[0].rows
    found = _repeated(hashes)
    return TwinRows(rows[found], hashes[found], sums)


def _repeated(x: NDArray[Any]) -> NDArray[np.int64]:
    """Where the values stand that occur more than once."""
    _, which, counts = np.unique(x, return_inverse=True, return_counts=True)
    return np.flatnonzero(counts[which] > 1)
