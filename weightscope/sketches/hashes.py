"""Hashes -> RowHashes: 64 bits of content for each row, the same for equal rows.

Different rows hardly ever have equal hashes. Content is the stored word, except that -0 counts as
+0. A row's hash is two sums over its columns j, modulo 2^32, of f(word_j) * a_j with odd a_j: sums
add over any tiling, in any order. f is a bijection of 32-bit words that maps zero to zero. So rows
that differ in one element never have equal hashes, rows that differ in more have with a probability
of about 2^-62, and zero is the hash of a zero row. Products are of 32 bits: one of 64 bits takes
five times as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from ..dtypes import DTYPES, decoded
from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from ..sending import sent
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

MIX = 0x7FEB352D  # of lowbias32 (Wellons 2018): spreads each bit over all higher bits
LANES = 2  # sums of 32 bits
GOLDEN = 0x9E3779B97F4A7C15  # step and finaliser of splitmix64 (Steele, Lea and Flood 2014)
STEPS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))


@dataclass(frozen=True, eq=False)
class RowHashes:
    """One 64-bit hash per row, (m,) uint64; 0 for a row of zeros."""

    rows: NDArray[np.uint64]

    def forget(self) -> None:
        """Rows have positions: hashes of different tensors are not pooled."""

    def __add__(self, other: RowHashes) -> RowHashes:
        raise TypeError("row hashes of different tensors do not add")


@dataclass(frozen=True)
class Hashes:
    """Adds the products of words and column factors.

    Law: the hashes of any tiling along either axis, merged in any order, are identical on every
    device.
    """

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """Two sums per row, two factors per half of a column's word, the table of a narrow type."""
        rows, cols = shape
        return 4 * LANES * (rows + 2 * cols) + 4 * 65536

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero sums; the factors, which follow from the column alone."""
        rows, cols = shape
        halves = 1
        if DTYPES[dtype].bits == 64:
            halves = 2
        factors = sent(torch.from_numpy(odd_factors(halves * LANES, cols)), device)
        table = None
        if DTYPES[dtype].narrow:
            table = _table(dtype, device)
        return {
            "rows": torch.zeros(stack, rows, LANES, dtype=torch.int32, device=device),
            "factors": factors.view(halves, LANES, cols),
            "table": table,
        }

    def add(self, state: State, tile: Tile) -> State:
        """Adds the products of a tile's words to the sums of their rows."""
        if not tile.box.size:
            return state
        rows, cols = slice(*tile.box.rows), slice(*tile.box.cols)
        halves = _words(tile, state["table"])
        for words, lane_factors in zip(halves, state["factors"], strict=True):
            product = tile.buffer("hashed", words, torch.int32)
            for lane, factors in enumerate(lane_factors):
                torch.mul(words, factors[cols], out=product)
                state["rows"][:, rows, lane] += product.sum(-1, dtype=torch.int32)
        return state

    def merge(self, a: State, b: State) -> State:
        """Sums add, modulo 2^32."""
        return a | {"rows": a["rows"] + b["rows"]}

    def finish(self, state: State) -> Sequence[RowHashes]:
        """Both sums of a row as one word."""
        records = []
        for sums in state["rows"].cpu().numpy():  # (m, 2) int32
            hashes = sums.view(np.uint64)[:, 0]
            records.append(RowHashes(hashes))
        return records


def odd_factors(many: int, columns: int) -> NDArray[np.int32]:
    """(many, columns) odd int32 factors, which follow from their index alone.

    The upper halves of splitmix64's numbers.
    """
    column = np.arange(1, columns + 1, dtype=np.uint64)
    row = np.arange(many, dtype=np.uint64)[:, None]
    x = (column * np.uint64(many) + row) * np.uint64(GOLDEN)
    for shift, factor in STEPS:
        x ^= x >> np.uint64(shift)
        x *= np.uint64(factor)
    upper = (x >> np.uint64(32)).astype(np.uint32)
    return upper.view(np.int32) | np.int32(1)


def _words(tile: Tile, table: Tensor | None) -> Iterator[Tensor]:
    """f of the stored words as int32 (b, rows, columns) in the layout of `stored`.

    For 64-bit words the lower halves, then the upper.
    """
    elements = (tile.stack, tile.box.size)
    if table is not None:
        mixed = tile.scratch.take("words 32", elements, torch.int32)
        torch.index_select(table, 0, tile.patterns.flatten(), out=mixed.view(-1))
    else:
        words = _unsigned_zero(tile)
        spare = tile.scratch.take("hashed", tuple(words.shape), torch.int32)
        mixed = _mixed(words, spare)
    for half in mixed.view(*elements, -1).unbind(-1):
        yield tile.as_matrices(half)


@cache
def _table(dtype: str, device: str) -> Tensor:
    """f of every pattern of a narrow type, uploaded once.

    Patterns count from 1, so that only zeros give 0: pattern 0 of F8_E8M0 is 2^-127.
    """
    value = decoded(dtype)
    pattern = np.arange(1, len(value) + 1)
    codes = np.where(value == 0, 0, pattern).astype(np.int32)
    words = torch.from_numpy(codes)
    return sent(_mixed(words, torch.empty_like(words)), device)


def _unsigned_zero(tile: Tile) -> Tensor:
    """A wide type's words as int32, (b, words), in a buffer; -0 as 0."""
    bits = DTYPES[tile.dtype].bits
    integer = torch.int64
    if bits == 32:
        integer = torch.int32
    x = tile.dense.view(integer)
    words = tile.scratch.take(f"words {bits}", tuple(x.shape), integer)
    if DTYPES[tile.dtype].kind == "float":
        minus_zero = -(1 << bits - 1)  # the smallest integer of its width
        # A product, since torch.where takes four times as long.
        torch.ne(x, minus_zero, out=words).mul_(x)
    else:
        words.copy_(x)
    return words.view(torch.int32)


def _mixed(x: Tensor, spare: Tensor) -> Tensor:
    """A bijection of int32 words, in place; 0 remains 0.

    A difference in any bit changes the lowest bits.
    """
    _fold_upper(x, spare)
    x.mul_(MIX)
    _fold_upper(x, spare)
    return x


def _fold_upper(x: Tensor, spare: Tensor) -> None:
    """x ^= x >> 16 of unsigned words, in place."""
    torch.bitwise_right_shift(x, 16, out=spare)
    spare.bitwise_and_(0xFFFF)  # the shift of negative words fills with ones
    x.bitwise_xor_(spare)
