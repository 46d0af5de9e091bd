"""Where the first NaN or Inf of a matrix stands: (row, column) from 0, first in row-major order, however it is cut.

Counting tells which tiles hold one; only those are looked at again, and only while an earlier place is possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tile import Tile

Place = tuple[int, int]


def earliest(*places: Place | None) -> Place | None:
    """The first of those that there are.

    >>> earliest(None, (2, 0), (1, 7)), earliest(None)
    ((1, 7), None)
    """
    return min((place for place in places if place is not None), default=None)


def first_places(
    before: Sequence[Place | None], tile: Tile, holds: Sequence[int]
) -> list[Place | None]:
    """The first place of each matrix after one tile more; `holds` is how many stand in the tile."""
    corner = tile.box.rows[0], tile.box.cols[0]
    found = list(before)
    for i in (i for i, held in enumerate(holds) if held):
        known = before[i]
        if known is None or known > corner:
            found[i] = earliest(known, _first(tile, i))
    return found


def _first(tile: Tile, i: int) -> Place:
    odd = ~tile.values[i].isfinite()
    row = int(odd.any(-1).byte().argmax())
    return tile.box.rows[0] + row, tile.box.cols[0] + int(odd[row].byte().argmax())
