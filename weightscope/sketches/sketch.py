"""A sketch is a small record of a tensor; a measure computes it from tiles; a file defines both.

Laws, tested for every measure (any tiling, any grouping, empty, one element, all NaN):
    fold(a + b) == merge(fold(a), fold(b))      merge associative, start() its zero
    finish(fold(stack))[i] == finish(fold(stack[i:i+1]))[0], bit for bit
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from ..geometry import LONG_LINES, TILE, Axis, Box, Shape, long_side, tiles
from .tile import Tile

if TYPE_CHECKING:
    from typing import Self

# Runs of whole rows or columns | runs across the long side | the matrix in one tile
Cut = Literal["any", "long", "whole"]
CUTS: tuple[Cut, ...] = get_args(Cut)
Passes = Literal["one", "more"]
State = dict[Any, Any]  # name -> tensor with the stack first


def tiling(cut: Cut, box: Box, axis: Axis, size: int = TILE) -> tuple[Axis, tuple[Box, ...]]:
    """The axis along which a matrix is cut for measures of this cut, and its tiles.

    >>> tiling("long", Box((0, 8), (0, 1 << 20)), 0)[0]
    1
    """
    if cut == "long":
        axis = long_side(box.shape)
        return axis, tiles(box, axis, max(size, LONG_LINES * min(box.shape)))
    if cut == "whole":
        return axis, (box,)
    return axis, tiles(box, axis, size)


class Sketch(Protocol):
    """A frozen numpy record, on the host."""

    def forget(self) -> Self | None:
        """The record without positions, which may be added over tensors; None where none may."""

    def __add__(self, other: Self) -> Self:
        """The sketch of the elements of both."""


@dataclass(frozen=True)
class Again:
    """A request for one more pass over the same tiles, which begins with this state."""

    state: State


def bytes_of(measure: Measure, shape: Shape, device: str) -> int:
    """Size of the state of one matrix on a device.

    A measure whose state is another one on a GPU has a method `bytes_on(shape, device)` for both.
    """
    bytes_on = getattr(measure, "bytes_on", None)
    if bytes_on is None:
        return measure.bytes(shape)
    size: int = bytes_on(shape, device)
    return size


class Measure(Protocol):
    """A frozen dataclass: equal options are the same measure, which is computed once.

    A measure of two entries, element by element, has the label of the other entry as a field and
    gets its tile from `tile.beside`; `Unit.beside` lists the labels. Measures inside measures have
    no other entry.
    """

    @property
    def cut(self) -> Cut:
        """The ways in which the matrix may be cut into tiles."""

    @property
    def passes(self) -> Passes:
        """`more`: finish may return Again, so the matrix is held in memory where it fits."""

    def bytes(self, shape: Shape) -> int:
        """Size of the state of one matrix, for the plan."""

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """The state before any tile."""

    def add(self, state: State, tile: Tile) -> State:
        """The state after one more tile; may overwrite the given state."""

    def merge(self, a: State, b: State) -> State:
        """The state after the tiles of a, then those of b."""

    def finish(self, state: State) -> Sequence[Sketch] | Again:
        """One sketch per matrix of the stack, or the state with which the next pass begins."""
