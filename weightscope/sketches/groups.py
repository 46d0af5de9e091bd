"""Groups -> ZeroGroups: the N:M sparsity patterns of every group of M neighbours along a row.

One group that breaks a pattern excludes it, so an ordinary matrix costs its first tile only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import torch
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
        possible = torch.ones(stack, len(PATTERNS), dtype=torch.bool, device=device)
        return {"possible": possible, "checked": frozenset()}

    def add(self, state: State, tile: Tile) -> State:
        """Removes the patterns that a group of the tile breaks."""
        first, last = tile.box.cols
        # Groups begin at multiples of the largest M, so that those of every pattern are whole.
        aligned = -(-first // LARGEST_GROUP) * LARGEST_GROUP
        columns = max(last - aligned, 0)
        if not tile.box.shape[0]:
            return state
        checked = set(state["checked"])
        for k, (name, (n, m)) in enumerate(PATTERNS.items()):
            width = columns // m * m
            if not width:
                continue
            checked.add(name)
            part = tile.values[..., aligned - first :][..., :width]
            _exclude(state["possible"][:, k], part, n, m)
        return state | {"checked": frozenset(checked)}

    def merge(self, a: State, b: State) -> State:
        """Possible in both, checked in either."""
        return {
            "possible": a["possible"] & b["possible"],
            "checked": a["checked"] | b["checked"],
        }

    def finish(self, state: State) -> Sequence[ZeroGroups]:
        """One record per matrix."""
        records = []
        for possible in state["possible"].tolist():
            names = zip(PATTERNS, possible, strict=True)
            patterns = tuple(name for name, holds in names if holds and name in state["checked"])
            records.append(ZeroGroups(patterns))
        return records


def _exclude(possible: Tensor, part: Tensor, n: int, m: int) -> None:
    """Marks the matrices of (b, rows, columns) of which a group breaks a pattern, in place.

    A CPU looks at those that none has broken so far; a GPU at all, since the host would wait.
    """
    if possible.device.type != "cpu":
        possible &= _holds(part, n, m)
        return
    for i in possible.nonzero()[:, 0].tolist():
        possible[i : i + 1] &= _holds(part[i : i + 1], n, m)


def _holds(part: Tensor, n: int, m: int) -> Tensor:
    """(b,) whether at most n of every m neighbours are non-zero; NaN is non-zero."""
    stack, rows, _ = part.shape
    groups = (part != 0).reshape(stack, rows, -1, m)
    nonzero = groups.sum(-1)
    return (nonzero <= n).flatten(1).all(1)
