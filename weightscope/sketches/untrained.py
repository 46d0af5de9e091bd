"""Untrained -> UntrainedRows: sets of three or more rows, each with cosine >= 0.95 to its set's mean.

Rows that never were an input or a target are only ever pushed along one common direction (Land and Bartolo 2024 on
under-trained tokens), and end up parallel, often larger than the rest. One pass takes signatures of 64 numbers a row;
where these show sets, further passes take exact means and cosines of the rows near them, until no member changes.
What signatures do not tell from a larger set (a mean within 0.9 of its mean) may be missed.

Parallel rows alone prove nothing: words that stand for each other in every sentence are parallel too, neighbouring
positions are, and so are all rows of a matrix with a strong mean. So all sets are kept, and `untrained` names the rows
that are taken to be untrained. Rows that are zero, not finite or beyond float32's range belong to no set, and no row
does where there are fewer than 32 columns: in so few dimensions chance makes rows parallel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from .row_sets import RowSet, advanced, first_look, found, looked
from .signatures import COLUMNS, SETS, TREES, directions, projection
from .sketch import Again, Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = 32  # columns: among 128k random rows one pair is expected to have 0.854, as three at 0.95 to their mean have
EDGE, SHARED = (
    0.25,
    0.9,
)  # most rows beside a set, as a share of its own; most of all rows in it and beside it


@dataclass(frozen=True, eq=False)
class UntrainedRows:
    """All sets, the largest first, and how many rows could be in one."""

    sets: tuple[RowSet, ...]
    measured: int

    @property
    def untrained(self) -> NDArray[np.int64]:
        """The rows of the set that has more than all others together, stands apart and leaves others; else none.

        One direction alone pushes what is never trained: many sets of a kind are words used alike. Rarely trained rows
        lie beside it, but where more than a quarter of its own number do, it is the dense part of a cloud or of a path,
        as positions are; and where nine tenths of all rows are in it or beside it, it is what the matrix shares.
        """
        none = np.zeros(0, np.int64)
        first, *others = self.sets or (RowSet(none, none.astype(float), 0),)
        size = len(first.rows)
        alone = size > sum(len(other.rows) for other in others)
        apart = first.beside <= EDGE * size and size + first.beside <= SHARED * self.measured
        return first.rows if alone and apart else none

    def forget(self) -> None:
        """Rows belong to one matrix."""

    def __add__(self, other: UntrainedRows) -> UntrainedRows:
        raise TypeError("rows of different tensors do not add")


@dataclass(frozen=True)
class Untrained:
    """Signatures first; then, of the rows near what they show, sums of members and cosines to these in turn."""

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "more"

    def bytes(self, shape: Shape) -> int:
        """Signatures three times, the links between them, and the sets' means."""
        rows, columns = shape
        return rows * (12 * COLUMNS + 32 * TREES) + columns * (
            4 * COLUMNS + 8 * min(SETS, 1 + rows // 3)
        )

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero signatures, and nothing to look at yet."""
        rows, columns = (
            shape if shape[0] * shape[1] else (0, 0)
        )  # an empty side may claim any length
        signatures = torch.zeros(stack, rows, COLUMNS, device=device)
        return {
            "signatures": signatures,
            "projection": projection(columns).to(device),
            "looks": None,
        }

    def add(self, state: State, tile: Tile) -> State:
        """A tile's share of the signatures, or of what the present look adds up."""
        rows, cols = slice(*tile.box.rows), slice(*tile.box.cols)
        if tile.box.size and state["looks"] is None:
            for signatures, x in zip(state["signatures"], tile.values, strict=True):
                signatures[rows].addmm_(x.float(), state["projection"][cols])
        for i, look in enumerate(state["looks"] or ()):
            looked(look, tile, i)
        return state

    def merge(self, a: State, b: State) -> State:
        """What is looked at depends on all signatures: a matrix is folded by one worker."""
        raise TypeError("sets of rows are found in one run")

    def finish(self, state: State) -> Sequence[UntrainedRows] | Again:
        """The next look while any matrix needs one, or the sets."""
        state = state | (
            _shown(state)
            if state["looks"] is None
            else {"looks": [advanced(k) for k in state["looks"]]}
        )
        if any(look.open for look in state["looks"]):
            return Again(state)
        return [
            UntrainedRows(found(k), many)
            for k, many in zip(state["looks"], state["measured"], strict=True)
        ]


def _shown(state: State) -> State:
    """What to look at exactly: rows around the directions that the signatures show."""
    columns, looks, measured = len(state["projection"]), [], []
    for signatures in state["signatures"]:
        size = signatures.abs().sum(-1)
        sound = (size.isfinite() & (size > 0)).nonzero()[:, 0]
        unit = torch.nn.functional.normalize(signatures[sound] / size[sound, None], dim=1)
        centres = directions(unit if columns >= FEW else unit[:0])
        looks.append(first_look(sound, unit, centres, columns))
        measured.append(len(sound))
    return {"signatures": None, "looks": looks, "measured": measured}
