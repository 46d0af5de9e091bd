"""How many cells stand side by side, and axes that are set by inches: a title runs over all plots of its cell."""

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
    count: int, across: int, cell: tuple[float, float], top: float
) -> tuple[Figure, Callable[[int, Box], Axes]]:
    """A page for `count` cells below `top` inches, and what puts axes into the cell of a number."""
    wide, high = LEAD + across * cell[0], top + math.ceil(count / across) * cell[1] + FOOT
    figure = matplotlib_figure.Figure(figsize=(wide, high), dpi=144, facecolor="white")

    def put(at: int, box: Box) -> Axes:
        x, y = (
            LEAD + at % across * cell[0] + box[0],
            high - top - (at // across + 1) * cell[1] + box[1],
        )
        return figure.add_axes((x / wide, y / high, box[2] / wide, box[3] / high))

    return figure, put


def grid(count: int) -> int:
    """How many panels stand side by side: one row up to 3, then a little wider than high, 8 at most.

    >>> [grid(n) for n in (1, 2, 3, 4, 6, 12, 60, 64)]
    [1, 2, 3, 2, 3, 4, 8, 8]
    """
    return count if count <= 3 else min(8, max(2, round(math.sqrt(count * 1.1))))


def pairs(count: int) -> int:
    """How many pairs stand side by side: the page becomes a little wider than high, 4 at most.

    >>> [pairs(n) for n in (1, 2, 5, 6, 12, 24, 40, 64)]
    [1, 1, 2, 2, 2, 3, 4, 4]
    """
    return min(4, max(1, round(math.sqrt(count / 2))))
