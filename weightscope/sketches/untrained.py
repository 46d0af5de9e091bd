"""Untrained -> UntrainedRows: sets of three or more rows with cosine >= 0.95 to their mean.

The gradient of rows that are never an input or a target has one common direction (Land and Bartolo
2024 on under-trained tokens): they become parallel, often larger than the others. One pass computes
signatures of 64 numbers per row; where these show sets, further passes compute exact means and
cosines of the rows near them, until no member changes. A set whose mean has cosine > 0.9 with that
of a larger set may be missed.

Parallel rows are no proof: interchangeable words are parallel too, and so are neighbouring
positions, and all rows of a matrix with a strong mean. So the record has all sets, and `untrained`
the rows that are assumed to be untrained. Rows that are zero, not finite or beyond float32's range
belong to no set, nor does any row of fewer than 32 columns: in so few dimensions random rows are
parallel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from ..sending import sent
from . import row_sets_together as together
from .row_sets import RowSet, accumulate, first_look, next_look, row_sets
from .signatures import COLUMNS, SETS, TREES, directions, projection
from .sketch import Again, Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Columns: with fewer, a pair of 128k random rows is expected to have cosine 0.854, which three rows
# have with each other that have 0.95 to their mean.
FEW = 32
EDGE = 0.25  # largest number of rows beside a set, as a share of its own rows
SHARED = 0.9  # largest share of all rows that are in the set or beside it


@dataclass(frozen=True, eq=False)
class UntrainedRows:
    """All sets, the largest first, and the number of rows that could belong to one."""

    sets: tuple[RowSet, ...]
    measured: int

    @property
    def untrained(self) -> NDArray[np.int64]:
        """The rows of the largest set, if it fulfils three conditions; else none.

        It has more rows than all other sets together: untrained rows have one direction, while
        several sets are words of similar use. At most a quarter of its number lie beside it, as
        rarely trained rows do: a set with more is the dense part of a cloud or a path, such as
        positions. And at most nine tenths of all rows are in it or beside it: with more, its
        direction is the mean of the matrix.
        """
        none = np.zeros(0, np.int64)
        if not self.sets:
            return none
        first, others = self.sets[0], self.sets[1:]
        size = len(first.rows)
        dominant = size > sum(len(other.rows) for other in others)
        separate = first.beside <= EDGE * size
        shared = size + first.beside > SHARED * self.measured
        if dominant and separate and not shared:
            return first.rows
        return none

    def forget(self) -> None:
        """Rows belong to one matrix."""

    def __add__(self, other: UntrainedRows) -> UntrainedRows:
        raise TypeError("rows of different tensors do not add")


@dataclass(frozen=True)
class Untrained:
    """Signatures first; then, for rows near their sets, sums of members and cosines in turn."""

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "more"

    def bytes(self, shape: Shape) -> int:
        """Signatures three times, the links between them, the projection, and the sets' means."""
        rows, columns = shape
        signatures, links = 12 * COLUMNS, 32 * TREES
        most_sets = min(SETS, 1 + rows // 3)
        return rows * (signatures + links) + columns * (4 * COLUMNS + 8 * most_sets)

    def bytes_on(self, shape: Shape, device: str) -> int:
        """The same of a device: a GPU copies rows in chunks."""
        chunk = 0
        if device != "cpu":
            chunk = together.BYTES * min(shape[0] * shape[1], together.CHUNK)
        return self.bytes(shape) + chunk

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero signatures, and no looks."""
        rows, columns = shape
        if not rows * columns:
            rows, columns = 0, 0  # the other side of an empty matrix may have any length
        signatures = torch.zeros(stack, rows, COLUMNS, device=device)
        return {
            "signatures": signatures,
            "projection": sent(projection(columns), device),
            "looks": None,
            "there": None,  # what a GPU has of them
        }

    def add(self, state: State, tile: Tile) -> State:
        """Adds a tile to the signatures, or to the sums of the current looks."""
        if not tile.box.size:
            return state
        if state["there"] is not None:
            together.accumulate(state["there"], state["looks"], tile)
            return state
        if state["looks"] is not None:
            for i, look in enumerate(state["looks"]):
                accumulate(look, tile, i)
            return state
        rows, cols = slice(*tile.box.rows), slice(*tile.box.cols)
        projection_rows = state["projection"][cols]
        if tile.scratch.device != "cpu":
            stacked = projection_rows.expand(tile.stack, -1, -1)
            state["signatures"][:, rows].baddbmm_(tile.values.float(), stacked)
            return state
        # Matrix by matrix, so that the float32 copy is that of one matrix.
        for signatures, x in zip(state["signatures"], tile.values, strict=True):
            signatures[rows].addmm_(x.float(), projection_rows)
        return state

    def merge(self, a: State, b: State) -> State:
        """Looks follow from the signatures of all tiles, so one worker folds them."""
        raise TypeError("sets of rows are found in one run")

    def finish(self, state: State) -> Sequence[UntrainedRows] | Again:
        """The next look while any matrix needs one, or the sets."""
        if state["looks"] is None:
            state = state | _first_looks(state)
        else:
            state = state | _next_looks(state)
        if any(look.open for look in state["looks"]):
            return Again(state | _on_device(state))
        records = []
        for look, measured in zip(state["looks"], state["measured"], strict=True):
            records.append(UntrainedRows(row_sets(look), measured))
        return records


def _next_looks(state: State) -> State:
    """The looks after a pass."""
    looks, there = state["looks"], state["there"]
    if there is not None and there.cosines:
        looks = together.on_host(there, looks)
    return {"looks": [next_look(look) for look in looks]}


def _on_device(state: State) -> State:
    """What a GPU needs for the next pass, which is the same of all open looks."""
    looks, there, device = state["looks"], state["there"], state["projection"].device
    if device.type == "cpu":
        return {}
    if any(look.cosines for look in looks if look.open):
        return {"there": together.with_cosines(there)}
    return {"there": together.started(looks, len(state["projection"]), device)}


def _first_looks(state: State) -> State:
    """The looks at rows around the directions of the signatures, and the number of sound rows."""
    columns, looks, measured = len(state["projection"]), [], []
    # On the host, also those of a GPU: the search for sets asks for a number at every step.
    for signatures in state["signatures"].cpu():  # (rows, 64)
        size = signatures.abs().sum(-1)
        sound = (size.isfinite() & (size > 0)).nonzero()[:, 0]
        # Divided by their sizes first: the squares of tiny and huge rows are not float32 numbers.
        unit = torch.nn.functional.normalize(signatures[sound] / size[sound, None], dim=1)
        centres = directions(unit if columns >= FEW else unit[:0])
        looks.append(first_look(sound, unit, centres, columns))
        measured.append(len(sound))
    return {"signatures": None, "looks": looks, "measured": measured}
