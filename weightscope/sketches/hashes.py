"""Hashes -> RowHashes: 64 bits of content for each row; rows that are equal have equal hashes, others hardly ever.

Content is the stored word, except that -0 counts as +0. A row's hash is two sums over its columns j, modulo 2^32, of
f(word_j) * a_j with odd a_j: sums add over any tiling, in any order. f is a bijection of 32-bit words that takes zero
to zero, so rows that differ in one place never hash alike, rows that differ in more do with a chance of about 2^-62,
and zero is the hash of a zero row. 32-bit products are the fast ones: a 64-bit product takes five times as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..dtypes import DTYPES, decoded
from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

MIX = 0x7FEB352D  # of lowbias32 (Wellons 2018): spreads a word over all bits above it
LANES = 2  # sums of 32 bits
GOLDEN = 0x9E3779B97F4A7C15  # step and finaliser of splitmix64 (Steele, Lea and Flood 2014)
STEPS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))


@dataclass(frozen=True, eq=False)
class RowHashes:
    """One 64-bit hash a row (uint64, m long); 0 for a row of zeros."""

    rows: NDArray[np.uint64]

    def forget(self) -> None:
        """Rows have positions: hashes of different tensors are not pooled."""

    def __add__(self, other: RowHashes) -> RowHashes:
        raise TypeError("row hashes of different tensors do not add")


@dataclass(frozen=True)
class Hashes:
    """Adds up what each column's word gives.

    Law: the hashes of any tiling along either axis, merged in any order, are identical on every device.
    """

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """Two sums a row, two multipliers for each half of a column's word, and the table of a narrow type."""
        return 4 * LANES * (shape[0] + 2 * shape[1]) + 4 * 65536

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero sums; the multipliers, which follow from the column alone."""
        halves = 2 if DTYPES[dtype].bits == 64 else 1
        return {
            "rows": torch.zeros(stack, shape[0], LANES, dtype=torch.int32, device=device),
            "odd": torch.from_numpy(odd_factors(halves * LANES, shape[1]))
            .to(device)
            .view(halves, LANES, shape[1]),
            "table": _table(dtype).to(device) if DTYPES[dtype].narrow else None,
        }

    def add(self, state: State, tile: Tile) -> State:
        """The products of a tile's words, into their rows."""
        if not tile.box.size:
            return state
        rows, cols = slice(*tile.box.rows), slice(*tile.box.cols)
        for words, odd in zip(_words(tile, state["table"]), state["odd"], strict=True):
            for lane, factors in enumerate(odd):
                product = torch.mul(
                    words, factors[cols], out=tile.buffer("hashed", words, torch.int32)
                )
                state["rows"][:, rows, lane] += product.sum(-1, dtype=torch.int32)
        return state

    def merge(self, a: State, b: State) -> State:
        """Sums add, modulo 2^32."""
        return a | {"rows": a["rows"] + b["rows"]}

    def finish(self, state: State) -> Sequence[RowHashes]:
        """Both sums of a row side by side."""
        return [RowHashes(sums.view(np.uint64)[:, 0]) for sums in state["rows"].cpu().numpy()]


def odd_factors(many: int, columns: int) -> NDArray[np.int32]:
    """(many, columns) odd multipliers: the upper halves of splitmix64's numbers, by their place alone."""
    x = np.arange(1, columns + 1, dtype=np.uint64) * np.uint64(many)
    x = (x + np.arange(many, dtype=np.uint64)[:, None]) * np.uint64(GOLDEN)
    for shift, factor in STEPS:
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return (x >> np.uint64(32)).astype(np.uint32).view(np.int32) | np.int32(1)


def _words(tile: Tile, table: Tensor | None) -> Iterator[Tensor]:
    """f of the stored words as int32 (b, rows, columns) in the layout of `stored`; both halves of 64-bit words."""
    b, r, n = tile.stored.shape
    if table is not None:
        mixed = tile.scratch.take("words 32", (b, r * n), torch.int32)
        torch.index_select(table, 0, tile.patterns.flatten(), out=mixed.view(-1))
    else:
        words = _unsigned_zero(tile)
        mixed = _mixed(words, tile.scratch.take("hashed", tuple(words.shape), torch.int32))
    for half in mixed.view(b, r * n, -1).unbind(-1):
        yield half.view(b, n, r).mT if tile.mirrored else half.view(b, r, n)


def _table(dtype: str) -> Tensor:
    """f of every pattern of a narrow type, plus one so that only zeros give 0 (the first of F8_E8M0 is 2^-127)."""
    value = decoded(dtype)
    codes = torch.from_numpy(np.where(value == 0, 0, np.arange(1, len(value) + 1)).astype(np.int32))
    return _mixed(codes, torch.empty_like(codes))


def _unsigned_zero(tile: Tile) -> Tensor:
    """A wide type's words as int32, (b, words), in a buffer; -0, the least integer of its width, as 0."""
    bits = DTYPES[tile.dtype].bits
    wide = torch.int32 if bits == 32 else torch.int64
    x = tile.dense.view(wide)
    words = tile.scratch.take(f"words {bits}", tuple(x.shape), wide)
    if DTYPES[tile.dtype].kind == "float":
        torch.ne(x, -(1 << bits - 1), out=words).mul_(
            x
        )  # not torch.where: it takes four times as long
    else:
        words.copy_(x)
    return words.view(torch.int32)


def _mixed(x: Tensor, spare: Tensor) -> Tensor:
    """A bijection of int32 words, in place, under which a difference in any bit reaches the lowest; 0 stays 0."""
    for factor in (MIX, 1):
        torch.bitwise_right_shift(x, 16, out=spare).bitwise_and_(0xFFFF)
        x.bitwise_xor_(spare)
        if factor != 1:
            x.mul_(factor)
    return x
