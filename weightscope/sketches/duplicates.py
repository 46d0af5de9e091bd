"""Duplicates -> DuplicateRows: the duplicate rows of a matrix.

The cost is a fraction of that of hashing all rows. The first pass computes sums of 32 bits per row.
Equal rows have equal sums. A second pass computes the `Hashes` of those rows alone whose sums
repeat: in ordinary matrices few or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ..dtypes import DTYPES, decoded
from ..geometry import Box, Shape
from ..lazy import numpy as np
from ..lazy import torch
from ..sending import sent
from .hashes import MIX, Hashes, odd_factors
from .sketch import Again, Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class DuplicateRows:
    """Rows with a duplicate (int64, ascending, zero rows included) and their hashes (uint64).

    Rows are equal as in `Hashes`: -0 is +0, and a row of zeros has 0. `sums` (int32) of every row,
    in order, distinguish tensors of one type and shape: equal rows have equal sums. If one element
    of a row differs, its sum differs (in 64-bit types nearly always); if more differ, except with a
    probability of 2^-31, or of 2^-16 where 16-bit words differ in signs alone.
    """

    rows: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    sums: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))

    def forget(self) -> None:
        """Rows have positions: duplicates in different tensors are not pooled."""

    def __add__(self, other: DuplicateRows) -> DuplicateRows:
        raise TypeError("duplicate rows of different tensors do not add")


@dataclass(frozen=True, eq=False)
class Candidates:
    """Rows of all matrices of a stack, by their number: those in a tile follow each other."""

    rows: NDArray[np.int64]
    matrices: NDArray[np.int64]  # of each row

    @staticmethod
    def of(by_matrix: Sequence[NDArray[np.int64]]) -> Candidates:
        """The rows of each matrix as one list."""
        rows = np.concatenate(by_matrix)
        matrices = np.repeat(np.arange(len(by_matrix)), [len(some) for some in by_matrix])
        order = np.argsort(rows, kind="stable")
        return Candidates(rows[order], matrices[order])


@dataclass(frozen=True)
class Duplicates:
    """Sums of every row, then hashes of rows with equal sums."""

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "more"

    def bytes(self, shape: Shape) -> int:
        """A sum per row and a factor per column; at worst the numbers and hashes of all rows."""
        sums_and_factors, candidates = 4 * sum(shape), 16 * shape[0]
        return sums_and_factors + candidates + Hashes().bytes(shape)

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero sums; the factors, which follow from the column alone."""
        rows, cols = shape
        factors = torch.from_numpy(odd_factors(1, cols)[0])
        return {
            "sums": torch.zeros(stack, rows, dtype=torch.int32, device=device),
            "factors": sent(factors, device),
            "minus_zero": _minus_zero(dtype),
            "arguments": (shape, dtype, device),
            "candidates": None,  # rows of the stack whose sums repeat in their matrix
            "hashes": None,
        }

    def add(self, state: State, tile: Tile) -> State:
        """Adds a tile to the sums; in the second pass, to the hashes of the candidates."""
        if not tile.box.size:
            return state
        if state["candidates"] is not None:
            return state | {"hashes": _add_hashes(state["hashes"], tile, state["candidates"])}
        words = _words(tile, state["minus_zero"])
        words.mul_(state["factors"][slice(*tile.box.cols)])
        state["sums"][:, slice(*tile.box.rows)] += words.sum(-1, dtype=torch.int32)
        return state

    def merge(self, a: State, b: State) -> State:
        """The rows to hash follow from the sums of all tiles, so one worker folds them."""
        raise TypeError("duplicate rows are found in one run")

    def finish(self, state: State) -> Sequence[DuplicateRows] | Again:
        """The second pass, if any sums repeat; then the rows whose hashes repeat."""
        if state["candidates"] is None:
            sums = state["sums"].cpu()  # (b, rows)
            candidates = Candidates.of([_repeated(row_sums) for row_sums in sums.numpy()])
            (_, cols), dtype, device = state["arguments"]
            hashes = Hashes().start(1, (len(candidates.rows), cols), dtype, device)
            state = state | {"sums": sums, "candidates": candidates, "hashes": hashes}
            if len(candidates.rows):
                return Again(state)
        of_candidates = Hashes().finish(state["hashes"])[0].rows
        rows, matrices = state["candidates"].rows, state["candidates"].matrices
        records = []
        for i, row_sums in enumerate(state["sums"].numpy()):
            here = matrices == i
            records.append(_duplicate_rows(rows[here], of_candidates[here], row_sums))
        return records


def _words(tile: Tile, minus_zero: int) -> Tensor:
    """One int32 (b, rows, columns) per element, 0 for zeros, in a buffer."""
    if DTYPES[tile.dtype].narrow:
        return _narrow(tile, minus_zero)
    return _wide(tile)


def _narrow(tile: Tile, minus_zero: int) -> Tensor:
    """The words (b, rows, columns) of a narrow type, -0 as 0, in a buffer."""
    words = tile.patterns
    # Always a product: a search for -0 would take as long.
    nonzero = torch.ne(words, minus_zero, out=_spare(tile))
    return tile.as_matrices(nonzero.mul_(words))


def _wide(tile: Tile) -> Tensor:
    """One int32 (b, rows, columns) for each word of 32 or 64 bits, -0 as 0; in a buffer.

    The upper bits are also mixed into the lower ones: times an odd factor, the sign bit alone would
    contribute the number of negative elements of a row, whatever their columns. Different words of
    32 bits remain different.
    """
    x = tile.dense
    if DTYPES[tile.dtype].kind == "float":
        positive = tile.scratch.take(f"positive {x.dtype}", tuple(x.shape), x.dtype)
        x = torch.add(x, 0.0, out=positive)  # -0 + 0 is +0
    words = x.view(torch.int32)
    if DTYPES[tile.dtype].bits == 64:
        words = torch.add(words[:, 0::2], words[:, 1::2], alpha=MIX)
    mixed = torch.bitwise_right_shift(words, 15, out=_spare(tile))
    mixed.bitwise_xor_(words)
    return tile.as_matrices(mixed)


def _spare(tile: Tile) -> Tensor:
    size = (tile.stack, tile.box.size)
    return tile.scratch.take("words 32", size, torch.int32)


def _minus_zero(dtype: str) -> int:
    """The word of -0 in a narrow type; 0 in any other type."""
    if not DTYPES[dtype].narrow:
        return 0
    zeros = np.flatnonzero(decoded(dtype) == 0)
    return int(zeros.max(initial=0))


def _add_hashes(hashes: State, tile: Tile, candidates: Candidates) -> State:
    """Adds the candidate rows that are in the tile to their hashes."""
    first, last = np.searchsorted(candidates.rows, tile.box.rows)
    if first == last:
        return hashes
    inside = np.stack((candidates.matrices, candidates.rows - tile.box.rows[0]))[:, first:last]
    matrices, rows = sent(torch.from_numpy(inside), tile.stored.device)
    stored = tile.stored[matrices, rows][None]
    # Candidates form a matrix of their own.
    box = Box((int(first), int(last)), tile.box.cols)
    shape = (len(candidates.rows), tile.shape[1])
    part = Tile(stored, tile.dtype, box, shape, tile.axis, tile.scratch)
    hashes = Hashes().add(hashes, part)
    tile.forget()
    return hashes


def _duplicate_rows(
    rows: NDArray[np.int64], hashes: NDArray[np.uint64], sums: NDArray[np.int32]
) -> DuplicateRows:
    """The candidate rows of one matrix whose hashes repeat."""
    duplicates = _repeated(hashes)
    return DuplicateRows(rows[duplicates], hashes[duplicates], sums)


def _repeated(x: NDArray[Any]) -> NDArray[np.int64]:
    """Indices of the values that occur more than once."""
    _, which, counts = np.unique(x, return_inverse=True, return_counts=True)
    return np.flatnonzero(counts[which] > 1)
