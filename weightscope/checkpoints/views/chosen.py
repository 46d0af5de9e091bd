"""Chosen: some rows and columns of a matrix in any order: every second row, a permutation.

Lines along the cut are read in runs. Where the order is ascending or descending, lines that are
less than a page apart share a run, which costs less than another read. In any other order tiles
would read the same gaps again, so runs have none, unless the matrix is one tile or its lines are
so short that each would be a read of a few bytes: no byte is read twice for an order without
repeats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...dtypes import DTYPES
from ...geometry import TILE, Axis, Box, Shape
from ...lazy import numpy as np
from ...lazy import torch
from ...sending import sent
from ..entry import Entry, Span
from .boxes import made, needed
from .indices import Indices, runs

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

PAGE = 4096  # bytes that are read as soon as one of them is
SHORT = 64  # bytes of a line below which runs reach over gaps in any order


@dataclass(frozen=True)
class Chosen:
    """of[rows][:, columns]; None is all of them in their order."""

    of: Entry
    rows: Indices | None = None
    columns: Indices | None = None

    def __post_init__(self) -> None:
        """Lines beyond the matrix would be bytes of another tensor."""
        for chosen, side in zip((self.rows, self.columns), self.of.shape, strict=True):
            first, last = (0, 0) if chosen is None else chosen.bounds
            if first < 0 or last > side:
                raise IndexError(f"lines {first} to {last - 1} of {side}")

    @property
    def name(self) -> str:
        """As stored."""
        return self.of.name

    @property
    def dtype(self) -> str:
        """As stored."""
        return self.of.dtype

    @property
    def shape(self) -> Shape:
        """The numbers of chosen rows and columns."""
        rows, columns = self.of.shape
        if self.rows is not None:
            rows = self.rows.size
        if self.columns is not None:
            columns = self.columns.size
        return rows, columns

    @property
    def cut(self) -> Axis:
        """As stored."""
        return self.of.cut

    def needs(self, box: Box) -> tuple[Span, ...]:
        """The spans of each run of stored lines."""
        return needed(self.of, self._boxes(box))

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The lines of the runs in the chosen order; a view where they are one range of `of`."""
        lines = self._lines(box)
        crossing = self._crossing(box)
        start, _ = _range_of(crossing)
        ascending = np.argsort(lines, kind="stable")  # positions in the box
        pieces = []
        for inner, values in made(self.of, self._boxes(box), stored):
            across = values.mT if self.cut == 1 else values  # (lines of the run, crossing range)
            first, last = self._along(inner)
            low, high = np.searchsorted(lines, (first, last), sorter=ascending)
            here = np.sort(ascending[low:high])
            picked = _picked(across, 0, lines[here] - first)
            pieces.append((here, _picked(picked, 1, crossing - start)))
        joined = _joined(pieces, lines.size)
        return joined.mT if self.cut == 1 else joined

    def _lines(self, box: Box) -> NDArray[np.int64]:
        """The stored lines along the cut that a box has, in its order."""
        return _numbers(self._chosen(self.cut), self._along(box))

    def _crossing(self, box: Box) -> NDArray[np.int64]:
        """The stored elements of these lines that a box has, in its order."""
        return _numbers(self._chosen(1 - self.cut), self._along(box.T))

    def _chosen(self, axis: int) -> Indices | None:
        """The chosen rows or columns."""
        return self.columns if axis == 1 else self.rows

    def _along(self, box: Box) -> tuple[int, int]:
        """The side of a box along the cut."""
        return box.cols if self.cut == 1 else box.rows

    def _boxes(self, box: Box) -> Iterator[Box]:
        """A box of `of` for each run of stored lines; one without lines for a box without lines."""
        across = _range_of(self._crossing(box))
        lines = np.unique(self._lines(box))
        stretches = list(runs(lines, self._gap())) or [(0, 0)]
        for along in stretches:
            inner = Box(along, across)
            yield inner.T if self.cut == 1 else inner

    def _gap(self) -> int:
        """How many lines that are not chosen a run may reach over."""
        length = self.of.shape[1 - self.cut]
        line = max(1, length * DTYPES[self.dtype].bits // 8)  # bytes
        chosen = self._chosen(self.cut)
        rows, columns = self.of.shape
        is_tile = rows * columns <= TILE
        if chosen is None or chosen.is_ordered or is_tile or line < SHORT:
            return PAGE // line
        return 0


def _numbers(chosen: Indices | None, side: tuple[int, int]) -> NDArray[np.int64]:
    """The stored numbers of a side of a box."""
    if chosen is None:
        return np.arange(*side)
    return chosen.values[slice(*side)]


def _range_of(numbers: NDArray[np.int64]) -> tuple[int, int]:
    """The range that covers the numbers."""
    if not numbers.size:
        return 0, 0
    return int(numbers.min()), int(numbers.max()) + 1


def _picked(values: Tensor, axis: int, numbers: NDArray[np.int64]) -> Tensor:
    """Some rows or columns; a view where they are one range."""
    first, last = _range_of(numbers)
    if last - first == numbers.size and bool((np.diff(numbers) == 1).all()):
        return values.narrow(axis, first, last - first)
    return values.index_select(axis, sent(torch.tensor(numbers), values.device))


def _joined(pieces: list[tuple[NDArray[np.int64], Tensor]], count: int) -> Tensor:
    """Lines of all runs at their positions, (count, crossing)."""
    if len(pieces) == 1:  # without a copy
        _, lines = pieces[0]
        return lines
    _, sample = pieces[0]
    joined = sample.new_empty((count, sample.shape[1]))
    for here, lines in pieces:
        joined[sent(torch.tensor(here), sample.device)] = lines
    return joined
