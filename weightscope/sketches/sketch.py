"""A sketch is what stays of a tensor; a measure is how it is taken. The two stand side by side, one idea per file.

Laws, run for every measure by presence (any cut into its tiles, any grouping, empty, one element, all NaN):
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

Cut = Literal[
    "any", "long", "whole"
]  # any run of whole lines | runs across the long side | the matrix in one tile
CUTS: tuple[Cut, ...] = get_args(Cut)
Passes = Literal["one", "more"]
State = dict[Any, Any]  # name -> tensor with the stack first


def tiling(cut: Cut, box: Box, axis: Axis, size: int = TILE) -> tuple[Axis, tuple[Box, ...]]:
    """How a matrix is shown to measures of this cut: the axis along which, and its tiles.

    >>> tiling("long", Box((0, 8), (0, 1 << 20)), 0)[0]
    1
    """
    if cut == "long":
        axis = long_side(box.shape)
        return axis, tiles(box, axis, max(size, LONG_LINES * min(box.shape)))
    return axis, (box,) if cut == "whole" else tiles(box, axis, size)


class Sketch(Protocol):
    """Frozen numpy record, on the host. `forget()` drops positions so that sketches of different tensors can add."""

    def forget(self) -> Self | None:
        """What may be pooled over tensors; None where nothing may."""

    def __add__(self, other: Self) -> Self:
        """The sketch of both."""


@dataclass(frozen=True)
class Again:
    """One more pass over the same tiles, starting from what was learned."""

    state: State


class Measure(Protocol):
    """A frozen dataclass: equal options are the same measure, taken once.

    One that compares two entries element by element finds the other in `tile.beside`, under a label that is a field of
    its own; the unit says which labels see each other (`Unit.beside`). Measures inside measures see no other entry.
    """

    @property
    def cut(self) -> Cut:
        """How the matrix may be cut into tiles."""

    @property
    def passes(self) -> Passes:
        """`more`: finish may answer Again, so the matrix is held where it fits."""

    def bytes(self, shape: Shape) -> int:
        """State of one matrix, for the plan."""

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """The empty fold."""

    def add(self, state: State, tile: Tile) -> State:
        """One tile more; may write into the state it was given."""

    def merge(self, a: State, b: State) -> State:
        """The fold of both, a's tiles standing before b's."""

    def finish(self, state: State) -> Sequence[Sketch] | Again:
        """One sketch for each matrix of the stack, or the state that the next pass starts from."""
