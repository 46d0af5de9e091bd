"""Groups -> ZeroGroups: the N:M sparsity patterns of every group of M neighbours along a row.

One group that breaks a pattern excludes it, so an ordinary matrix costs its first tile only.
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

# At most N of M neighbours are non-zero; the finer pattern first.
PATTERNS = {"2:4": (2, 4), "4:8": (4, 8)}
LARGEST_GROUP = max(m for _, m in PATTERNS.values())


@dataclass(frozen=True)
class ZeroGroups:
    """The patterns of every whole group, the finest first; empty where no group was whole."""

    patterns: tuple[str, ...]

    def forget(self) -> None:
        """A pattern belongs to one matrix."""

    def __add__(self, other: ZeroGroups) -> ZeroGroups:
        raise TypeError("patterns of different tensors do not add")


@dataclass(frozen=True)
class Groups:
    """Checks the groups inside each tile; a group that a tile border cuts is not checked."""

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """A mask of one tile."""
        return 1 << 19

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Every pattern is possible, none has been checked."""
        return {
            "possible": [set(PATTERNS) for _ in range(stack)],
            "checked": [set() for _ in range(stack)],
        }

    def add(self, state: State, tile: Tile) -> State:
        """Removes the patterns that a group of the tile breaks."""
        first, last = tile.box.cols
        # Groups begin at multiples of the largest M, so that those of every pattern are whole.
        aligned = -(-first // LARGEST_GROUP) * LARGEST_GROUP
        columns = max(last - aligned, 0)
        if not tile.box.shape[0]:
            return state
        for i in range(tile.stack):
            for name in sorted(state["possible"][i]):
                n, m = PATTERNS[name]
                width = columns // m * m
                if not width:
                    continue
                state["checked"][i].add(name)
                part = tile.values[i, :, aligned - first :][:, :width]
                if not _holds(part, n, m):
                    state["possible"][i].remove(name)
        return state

    def merge(self, a: State, b: State) -> State:
        """Possible in both, checked in either."""
        return {
            "possible": [x & y for x, y in zip(a["possible"], b["possible"], strict=True)],
            "checked": [x | y for x, y in zip(a["checked"], b["checked"], strict=True)],
        }

    def finish(self, state: State) -> Sequence[ZeroGroups]:
        """One record per matrix."""
        records = []
        for possible, checked in zip(state["possible"], state["checked"], strict=True):
            patterns = tuple(name for name in PATTERNS if name in possible & checked)
            records.append(ZeroGroups(patterns))
        return records


def _holds(part: Tensor, n: int, m: int) -> bool:
    """Whether at most n of every m neighbours are non-zero; NaN is non-zero."""
    groups = (part != 0).reshape(len(part), -1, m)  # (rows, groups, m)
    nonzero = groups.sum(-1)
    return bool((nonzero <= n).all())
