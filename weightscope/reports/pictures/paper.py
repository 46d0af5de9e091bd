"""Pages of cells with axes placed in inches: a title spans all plots of its cell."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...lazy import matplotlib_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Box = tuple[float, float, float, float]  # left, bottom, width, height: inches
LEAD, FOOT = 0.6, 0.45  # inches: left of all cells, below them


def paper(
    count: int, across: int, cell: tuple[float, float], top: float, trim: float = 0.0
) -> tuple[Figure, Callable[[int, Box], Axes]]:
    """A page for `count` cells below `top` inches, and a function that adds axes to a cell.

    `trim` inches of the last cells are cut off: their gap to the next cell.
    """
    cell_width, cell_height = cell
    down = math.ceil(count / across)
    wide = LEAD + across * cell_width - trim
    high = top + down * cell_height + FOOT
    figure = matplotlib_figure.Figure(figsize=(wide, high), dpi=144, facecolor="white")

    def put(number: int, box: Box) -> Axes:
        """Axes at a box of cell `number`, counted along rows from the top."""
        row, column = divmod(number, across)
        left, bottom, width, height = box
        x = LEAD + column * cell_width + left
        y = high - top - (row + 1) * cell_height + bottom
        return figure.add_axes((x / wide, y / high, width / wide, height / high))

    return figure, put


def grid(count: int) -> int:
    """Panels in a row: one row up to 3, then a page a little wider than high, 8 at most.

    >>> [grid(n) for n in (1, 2, 3, 4, 6, 12, 60, 64)]
    [1, 2, 3, 2, 3, 4, 8, 8]
    """
    if count <= 3:
        return count
    square = round(math.sqrt(count * 1.1))
    return min(8, max(2, square))


def pairs(count: int) -> int:
    """Pairs in a row: a page a little wider than high, 4 at most.

    >>> [pairs(n) for n in (1, 2, 5, 6, 12, 24, 40, 64)]
    [1, 1, 2, 2, 2, 3, 4, 4]
    """
    square = round(math.sqrt(count / 2))  # a pair is twice as wide as high
    return min(4, max(1, square))
