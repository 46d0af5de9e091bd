"""Blocks of zeros in a matrix: padding at its end, and rectangles at its edges.

A grown matrix has new rows and columns. Some methods of growth fill them later: until then they are
padding. Others make new outputs ignore old inputs, or old outputs new ones: then a rectangle in a
corner is zero, without a dead line.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from ...lazy import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from .margins import Margin

LEAST = 16  # lines, and elements of each: smaller blocks occur by chance or by pruning
SHARP = 1.125  # mean over least zeros of the lines of a rectangle; of a triangle it is far more
MOST = 4  # rectangles that are listed


class _Rectangle(NamedTuple):
    """A block of zeros: ranges top:bottom and left:right of the live rows and columns."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def area(self) -> int:
        height = self.bottom - self.top
        width = self.right - self.left
        return height * width

    def overlaps(self, other: _Rectangle) -> bool:
        rows = self.top < other.bottom and other.top < self.bottom
        columns = self.left < other.right and other.left < self.right
        return rows and columns


def zero_blocks(rows: Margin, cols: Margin) -> str | None:
    """Dead lines at the end, then rectangles of zeros, the largest first, as ranges from 0.

    A rectangle has 16 lines of 16 elements or more, touches an edge of the live lines, and has
    straight sides: triangles and bands, as in masks, are excluded. Zeros elsewhere have no effect.
    None without any block, and for a matrix of zeros.

    >>> ends = lambda start, end: {"start": np.array(start), "end": np.array(end)}
    >>> zero_blocks(ends([0, 0], [1, 1]), ends([0, 0, np.inf], [1, 1, -np.inf]))
    'cols 2:3'
    """
    # Dead lines belong to every block: ranges are found among the live ones.
    live_rows, live_cols = _live(rows), _live(cols)
    if not len(live_rows):
        return None
    blocks = [*_padding("rows", rows, live_rows), *_padding("cols", cols, live_cols)]
    for block in _largest(_rectangles(rows, cols, live_rows, live_cols)):
        row_range = f"{live_rows[block.top]}:{live_rows[block.bottom - 1] + 1}"
        col_range = f"{live_cols[block.left]}:{live_cols[block.right - 1] + 1}"
        blocks.append(f"rows {row_range} x cols {col_range}")
    return " + ".join(blocks) or None


def _live(margin: Margin) -> NDArray[np.int64]:
    """Indices of the lines that are not dead; dead ones start at infinity."""
    return np.flatnonzero(np.isfinite(margin["start"]))


def _padding(side: str, margin: Margin, live: NDArray[np.int64]) -> Iterator[str]:
    """The range of dead lines behind the last live one, if any."""
    end, count = live[-1] + 1, len(margin["start"])
    if end < count:
        yield f"{side} {end}:{count}"


def _rectangles(
    rows: Margin, cols: Margin, live_rows: NDArray[np.int64], live_cols: NDArray[np.int64]
) -> Iterator[_Rectangle]:
    """The rectangles at each of the four edges."""
    m, n = len(live_rows), len(live_cols)
    left, right = _outside(rows, live_rows, live_cols)
    top, bottom = _outside(cols, live_cols, live_rows)
    for start, end, width in _runs(left):
        yield _Rectangle(start, end, 0, width)
    for start, end, width in _runs(right):
        yield _Rectangle(start, end, n - width, n)
    for start, end, height in _runs(top):
        yield _Rectangle(0, height, start, end)
    for start, end, height in _runs(bottom):
        yield _Rectangle(m - height, m, start, end)


def _outside(
    margin: Margin, live: NDArray[np.int64], across: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Zeros before the first and after the last non-zero element of each live line.

    Zeros in the dead lines of the other side are not counted: `across` are the live ones.
    """
    first = np.searchsorted(across, margin["start"][live])
    last = np.searchsorted(across, margin["end"][live])
    return first, len(across) - 1 - last


def _runs(zeros: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Runs of neighbouring lines with at least 16 zeros, and the number that all of a run have."""
    # False on both sides: each run has a start and an end
    inside = np.concatenate(([False], zeros >= LEAST, [False]))
    edges = np.flatnonzero(inside[1:] != inside[:-1]).tolist()
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        for a, b in pairwise(_steps(zeros, start, end)):
            run = zeros[a:b]
            if _straight(run):
                yield a, b, int(run.min())


def _steps(zeros: NDArray[np.int64], start: int, end: int) -> tuple[int, ...]:
    """Ends of the straight parts of a run.

    Where the zeros jump once, as in a matrix that has grown twice, there are two; more jumps are a
    staircase.
    """
    run = zeros[start:end]
    jumps = np.flatnonzero(np.abs(np.diff(run)) >= LEAST).tolist()
    if len(jumps) == 1 and not _straight(run):
        return start, start + 1 + jumps[0], end
    return start, end


def _straight(zeros: NDArray[np.int64]) -> bool:
    """Whether there are 16 lines or more, each with about as many zeros as all have in common."""
    if len(zeros) < LEAST:
        return False
    # Of a triangle the mean is far above the least.
    return bool(zeros.mean() <= SHARP * zeros.min())


def _largest(rectangles: Iterable[_Rectangle]) -> list[_Rectangle]:
    """The largest that do not overlap; a rectangle that touches two edges comes twice."""
    chosen: list[_Rectangle] = []
    # Equal areas stay in the order of their rows.
    for candidate in sorted(rectangles, key=lambda block: (-block.area, block)):
        if not any(candidate.overlaps(block) for block in chosen):
            chosen.append(candidate)
    return chosen[:MOST]
