"""Position of the first NaN or Inf of a matrix: (row, column) from 0, first in row-major order.

The result does not depend on the tiling. Counting finds the tiles that contain one; only those are
searched, and only while an earlier position is possible. On a GPU every tile of a type that has NaN
or Inf is searched, and positions are numbers row * columns + column that remain there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

    from .tile import Tile

    Positions = list[tuple[int, int] | None] | Tensor

Position = tuple[int, int]
NOWHERE = (1 << 63) - 1


def earliest(*positions: Position | None) -> Position | None:
    """The first of the positions that are not None.

    >>> earliest(None, (2, 0), (1, 7)), earliest(None)
    ((1, 7), None)
    """
    return min((position for position in positions if position is not None), default=None)


def no_positions(stack: int, device: str) -> Positions:
    """Positions of matrices without a NaN or Inf."""
    if device == "cpu":
        return [None] * stack
    return torch.full((stack,), NOWHERE, dtype=torch.int64, device=device)


def joined_positions(a: Positions, b: Positions) -> Positions:
    """The earlier of two positions of each matrix."""
    if isinstance(a, list):
        return [earliest(x, y) for x, y in zip(a, b, strict=True)]
    assert not isinstance(b, list)
    return torch.minimum(a, b)


def positions_on_host(positions: Positions, columns: int) -> list[Position | None]:
    """Row and column of each position."""
    if isinstance(positions, list):
        return positions
    numbers: list[int] = positions.tolist()
    return [_position(number, columns) for number in numbers]


def _position(number: int, columns: int) -> Position | None:
    """Row and column of a number."""
    if number == NOWHERE:
        return None
    return divmod(number, columns)


def first_positions(before: Positions, tile: Tile, counts: Tensor) -> Positions:
    """The first position of each matrix, with `counts` (b,) of NaN or Inf in a new tile."""
    if not isinstance(before, list):
        return torch.minimum(before, _first_in_tiles(tile))
    return _searched(before, tile, counts.tolist())


def _searched(
    before: Sequence[Position | None], tile: Tile, counts: Sequence[int]
) -> list[Position | None]:
    """The same on a CPU: tiles without NaN and Inf are not searched."""
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


def _first_in_tiles(tile: Tile) -> Tensor:
    """(b,) number of the first position in each matrix of a tile, NOWHERE without one."""
    nonfinite = ~tile.values.isfinite()  # (b, rows, columns)
    device = nonfinite.device
    rows = torch.arange(*tile.box.rows, device=device)[:, None]
    columns = torch.arange(*tile.box.cols, device=device)
    numbers = rows * tile.shape[1] + columns
    return torch.where(nonfinite, numbers, NOWHERE).amin((-2, -1))


def _first_in_tile(tile: Tile, i: int) -> Position:
    nonfinite = ~tile.values[i].isfinite()  # (rows, columns)
    # The first maximum of 0 and 1; torch has no argmax of bool.
    row = int(nonfinite.any(-1).byte().argmax())
    col = int(nonfinite[row].byte().argmax())
    return tile.box.rows[0] + row, tile.box.cols[0] + col
