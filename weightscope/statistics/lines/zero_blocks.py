"""Where a matrix is zero in one piece: padding at its end, and rectangles at its edges.

A grown matrix has new rows and columns. Some growths fill them later, which leaves padding; others make new outputs
ignore old inputs, or old outputs new ones, which leaves a rectangle in a corner without a dead line.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from .margins import Lines

    Rectangle = tuple[int, int, int, int]  # rows from, to, columns from, to

LEAST = 16  # lines, and elements of each: less is chance or pruning
SHARP = 1.125  # mean over least zeros of its lines; of a triangle it is far more
MOST = 4  # rectangles that are told


def zero_blocks(rows: Lines, cols: Lines) -> str | None:
    """Dead lines at the end, then rectangles of zeros, the largest first, as ranges from 0; None without any.

    A rectangle has 16 lines of 16 elements or more, touches an edge of what is not dead, and has straight sides:
    triangles and bands, as masks have them, are none. Zeros elsewhere do no harm. A matrix of zeros has no block.

    >>> ends = lambda start, end: {"start": np.array(start), "end": np.array(end)}
    >>> zero_blocks(ends([0, 0], [1, 1]), ends([0, 0, np.inf], [1, 1, -np.inf]))
    'cols 2:3'
    """
    live_rows, live_cols = (np.flatnonzero(np.isfinite(lines["start"])) for lines in (rows, cols))
    if not len(live_rows):
        return None
    sides = (("rows", live_rows, len(rows["start"])), ("cols", live_cols, len(cols["start"])))
    padding = [f"{side} {live[-1] + 1}:{many}" for side, live, many in sides if live[-1] + 1 < many]
    found = [
        f"rows {live_rows[a]}:{live_rows[b - 1] + 1} x cols {live_cols[c]}:{live_cols[d - 1] + 1}"
        for a, b, c, d in _largest(_rectangles(rows, cols, live_rows, live_cols))
    ]
    return " + ".join(padding + found) or None


def _rectangles(
    rows: Lines, cols: Lines, live_rows: NDArray[np.int64], live_cols: NDArray[np.int64]
) -> Iterator[Rectangle]:
    """At each of the four edges, in places among the lines that are not dead."""
    m, n = len(live_rows), len(live_cols)
    left, right = _outside(rows, live_rows, live_cols)
    top, bottom = _outside(cols, live_cols, live_rows)
    yield from ((a, b, 0, width) for a, b, width in _runs(left))
    yield from ((a, b, n - width, n) for a, b, width in _runs(right))
    yield from ((0, height, a, b) for a, b, height in _runs(top))
    yield from ((m - height, m, a, b) for a, b, height in _runs(bottom))


def _outside(
    lines: Lines, live: NDArray[np.int64], across: NDArray[np.int64]
) -> tuple[NDArray[np.int64], ...]:
    """Zeros before the first and after the last other element of each live line; those of dead ones do not count."""
    start, end = (np.searchsorted(across, lines[name][live]) for name in ("start", "end"))
    return start, len(across) - 1 - end


def _runs(zeros: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Neighbouring lines with many zeros, and how many they have in common, where none has many more.

    Where the zeros jump once, as in what has grown twice, they are two such runs; more steps are a staircase.
    """
    inside = np.concatenate(([False], zeros >= LEAST, [False]))
    edges = np.flatnonzero(inside[1:] != inside[:-1]).tolist()
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        jumps = (a + 1 + np.flatnonzero(np.abs(np.diff(zeros[a:b])) >= LEAST)).tolist()
        ends = (a, *jumps, b) if len(jumps) == 1 and not _straight(zeros[a:b]) else (a, b)
        yield from (
            (c, d, int(zeros[c:d].min())) for c, d in pairwise(ends) if _straight(zeros[c:d])
        )


def _straight(zeros: NDArray[np.int64]) -> bool:
    """Enough lines, and hardly more zeros in any than in all."""
    return len(zeros) >= LEAST and bool(zeros.mean() <= SHARP * zeros.min())


def _largest(found: Iterable[Rectangle]) -> list[Rectangle]:
    """Those that do not overlap a larger one; what touches two edges is found twice."""
    chosen: list[Rectangle] = []
    for a, b, c, d in sorted(found, key=lambda x: (-(x[1] - x[0]) * (x[3] - x[2]), x)):
        if all(b <= e or f <= a or d <= g or h <= c for e, f, g, h in chosen):
            chosen.append((a, b, c, d))
    return chosen[:MOST]
