"""Position of the first NaN or Inf of a matrix: (row, column) from 0, first in row-major order.

The result does not depend on the tiling. Counting finds the tiles that contain one; only those are
searched, and only while an earlier position is possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tile import Tile

Position = tuple[int, int]


def earliest(*positions: Position | None) -> Position | None:
    """The first of the positions that are not None.

    >>> earliest(None, (2, 0), (1, 7)), earliest(None)
    ((1, 7), None)
    """
    return min((position for position in positions if position is not None), default=None)


def first_positions(
    before: Sequence[Position | None], tile: Tile, counts: Sequence[int]
) -> list[Position | None]:
    """The first position of each matrix, with `counts` NaN or Inf in a new tile."""
    corner = tile.box.rows[0], tile.box.cols[0]
    positions = list(before)
    for i, count in enumerate(counts):
        if not count:
            continue
        position = before[i]
        # A tile whose corner is after it cannot have an earlier one.
        if position is None or position > corner:
            positions[i] = earliest(position, _first_in_tile(tile, i))
    return positions


def _first_in_tile(tile: Tile, i: int) -> Position:
    nonfinite = ~tile.values[i].isfinite()  # (rows, columns)
    # The first maximum of 0 and 1; torch has no argmax of bool.
    row = int(nonfinite.any(-1).byte().argmax())
    col = int(nonfinite[row].byte().argmax())
    return tile.box.rows[0] + row, tile.box.cols[0] + col
