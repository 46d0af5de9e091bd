"""Groups -> ZeroGroups: does every group of M neighbours along a row hold the zeros of an N:M pattern?

One group without them settles it, so an ordinary matrix costs its first tile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor

PATTERNS = {
    "2:4": (2, 4),
    "4:8": (4, 8),
}  # at most N of M neighbours are not zero; the finer one first
MOST = max(m for _, m in PATTERNS.values())


@dataclass(frozen=True)
class ZeroGroups:
    """The patterns that every whole group has, the finest first; empty where no group was whole."""

    patterns: tuple[str, ...]

    def forget(self) -> None:
        """A pattern belongs to one matrix."""

    def __add__(self, other: ZeroGroups) -> ZeroGroups:
        raise TypeError("patterns of different tensors do not add")


@dataclass(frozen=True)
class Groups:
    """Looks at groups that lie inside a tile: all of them but where a tile of few columns ends inside one."""

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """A mask of one tile."""
        return 1 << 19

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Every pattern is possible, none was seen."""
        return {
            "open": [set(PATTERNS) for _ in range(stack)],
            "seen": [set() for _ in range(stack)],
        }

    def add(self, state: State, tile: Tile) -> State:
        """Strikes out what a group of the tile breaks."""
        first, last = -(-tile.box.cols[0] // MOST) * MOST, tile.box.cols[1]
        for i in range(tile.stack):
            for name in sorted(state["open"][i]):
                n, m = PATTERNS[name]
                width = max(last - first, 0) // m * m
                if tile.box.shape[0] and width:
                    state["seen"][i].add(name)
                    part = tile.values[i, :, first - tile.box.cols[0] :][:, :width]
                    state["open"][i] -= set() if _holds(part, n, m) else {name}
        return state

    def merge(self, a: State, b: State) -> State:
        """Possible in both, seen in either."""
        return {
            "open": [x & y for x, y in zip(a["open"], b["open"], strict=True)],
            "seen": [x | y for x, y in zip(a["seen"], b["seen"], strict=True)],
        }

    def finish(self, state: State) -> Sequence[ZeroGroups]:
        """One record a matrix."""
        pairs = zip(state["open"], state["seen"], strict=True)
        return [
            ZeroGroups(tuple(name for name in PATTERNS if name in still & seen))
            for still, seen in pairs
        ]


def _holds(part: Tensor, n: int, m: int) -> bool:
    """Whether at most n of every m neighbours are not zero; NaN is not zero."""
    return bool(((part != 0).reshape(len(part), -1, m).sum(-1) <= n).all())
