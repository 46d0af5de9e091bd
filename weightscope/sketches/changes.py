"""Changes -> Changed: elements and rows of B that differ from A, and whether B is A retyped.

Elements of one type differ where their stored words do, those of -0 and +0 and of two NaN payloads
included; elements of two types where their values do. B is A retyped where every element of B is
that of A rounded to nearest even in B's type, or the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from ..dtypes import DTYPES
from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from . import changes_together as together
from .beside import numbers, stored_alike
from .beside_typed import in_type_of_torch
from .lanes import any_of_rows, differing, is_long, ones
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

INDEX_BYTES = 4  # of an element or a row in a stored change


@dataclass(frozen=True, eq=False)
class Changed:
    """Counts of differing elements and rows; `rows` marks the rows (None after `forget`).

    Without counting, `elements` is 1 where any element differs.
    """

    n: int
    elements: int
    rows: NDArray[np.bool_] | None
    row_count: int
    patch_bytes: int  # the least of changed elements, changed rows and all of B, as stored
    retyped: bool  # True for equal types too while no element differs

    def forget(self) -> Changed:
        """Without the positions of the rows."""
        return replace(self, rows=None)

    def __add__(self, other: Changed) -> Changed:
        return Changed(
            self.n + other.n,
            self.elements + other.elements,
            None,
            self.row_count + other.row_count,
            self.patch_bytes + other.patch_bytes,
            self.retyped and other.retyped,
        )


@dataclass(frozen=True)
class Changes:
    """Taken of B; `other` is the label of A, `dtype` its type.

    Without `counted` only whether anything differs: a tile is compared until one does.
    """

    other: str = "a"
    counted: bool = True
    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """A mark a row, and a few numbers."""
        return 256 + shape[0]

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Nothing differs."""
        rows = torch.zeros(stack, shape[0] if self.counted else 0, dtype=torch.bool, device=device)
        found: State = {
            "elements": [0] * stack,
            "to_b": [True] * stack,  # B is A rounded to the type of B
            "to_a": [True] * stack,
        }
        if device != "cpu":
            found = together.start(stack, device)
        return found | {"rows": rows, "shape": shape, "dtype": dtype}

    def add(self, state: State, tile: Tile) -> State:
        """Compares one tile."""
        if not tile.box.size:
            return state
        other = tile.beside[self.other]
        has_values = "none" not in (DTYPES[tile.dtype].kind, DTYPES[other.dtype].kind)
        if tile.scratch.device != "cpu":
            return together.add(state, tile, other, has_values)
        if tile.dtype == other.dtype:
            self._compare_words(state, tile, other)
        elif has_values:
            self._compare_types(state, tile, other)
        else:
            self._without_values(state, tile)
        return state

    def merge(self, a: State, b: State) -> State:
        """Counts add, marks unite."""
        rows = a["rows"] | b["rows"]
        if not isinstance(a["elements"], list):
            return a | together.merge(a, b) | {"rows": rows}
        return a | {
            "elements": [x + y for x, y in zip(a["elements"], b["elements"], strict=True)],
            "to_b": [x and y for x, y in zip(a["to_b"], b["to_b"], strict=True)],
            "to_a": [x and y for x, y in zip(a["to_a"], b["to_a"], strict=True)],
            "rows": rows,
        }

    def finish(self, state: State) -> Sequence[Changed]:
        """One record per matrix."""
        if not isinstance(state["elements"], list):
            state = state | together.on_host(state)
        marks = state["rows"].cpu().numpy()
        height, width = state["shape"]
        bits = DTYPES[state["dtype"]].bits
        records = []
        for i, elements in enumerate(state["elements"]):
            row_count = int(marks[i].sum())
            patch_bytes = min(
                elements * (bits // 8 + INDEX_BYTES),
                row_count * (width * bits // 8 + INDEX_BYTES),
                -(-height * width * bits // 8),
            )
            if not self.counted:
                elements = min(elements, 1)
            retyped = state["to_b"][i] or state["to_a"][i]
            records.append(
                Changed(height * width, elements, marks[i], row_count, patch_bytes, retyped)
            )
        return records

    def _compare_words(self, state: State, tile: Tile, other: Tile) -> None:
        """Elements of one type: equal words are found before any are counted."""
        if not self.counted and all(state["elements"]):
            return
        all_a, all_b = stored_alike(tile, other), tile.dense
        for i in range(tile.stack):
            if not self.counted and state["elements"][i]:
                continue
            a, b = _words(all_a[i]), _words(all_b[i])
            if _are_equal(a, b):
                continue
            state["to_b"][i] = state["to_a"][i] = False
            if not self.counted:
                state["elements"][i] = 1
                continue
            marks = differing(a, b, tile.scratch.take("changed", tuple(b.shape), b.dtype))
            if tile.stored.is_complex():  # two words an element
                marks = marks.view(-1, 2).bool().any(1)
            self._count(state, tile, marks, i)

    def _without_values(self, state: State, tile: Tile) -> None:
        """Elements of two types of which one has no values: none is equal."""
        mask = torch.ones(tile.box.size, dtype=torch.bool, device=tile.stored.device)
        for i in range(tile.stack):
            state["to_b"][i] = state["to_a"][i] = False
            self._count(state, tile, mask, i)

    def _compare_types(self, state: State, tile: Tile, other: Tile) -> None:
        """Elements of two types: rounded one way and the other, and as values."""
        if all(self._is_decided(state, i) for i in range(tile.stack)):
            return
        all_a, all_b = in_type_of_torch(tile, other), in_type_of_torch(tile, tile)
        for i in range(tile.stack):
            if state["to_b"][i]:
                state["to_b"][i] = _rounds_to(all_a[i], all_b[i])
            if state["to_a"][i]:
                state["to_a"][i] = _rounds_to(all_b[i], all_a[i])
        all_a, all_b = numbers(tile, other), numbers(tile, tile)
        for i in range(tile.stack):
            if not self.counted and state["elements"][i]:
                continue
            x, y = all_a[i].double(), all_b[i].double()
            mask = x != y
            if bool(mask.any()):
                mask &= ~(x.isnan() & y.isnan())
                self._count(state, tile, mask, i)

    def _is_decided(self, state: State, i: int) -> bool:
        """Whether no further element can alter the record of a matrix."""
        retyped = state["to_b"][i] or state["to_a"][i]
        return bool(state["elements"][i]) and not self.counted and not retyped

    def _count(self, state: State, tile: Tile, ones_where: Tensor, i: int) -> None:
        """Adds the differing elements of one matrix, ones in memory order, and marks their rows."""
        count = ones(ones_where)
        state["elements"][i] += count
        if not self.counted or not count:
            return
        marks = state["rows"][i, slice(*tile.box.rows)]
        rows, cols = tile.box.shape
        if count == ones_where.numel():
            marks.fill_(True)
        elif tile.mirrored:
            marks |= ones_where.view(cols, rows).bool().any(0)
        else:
            marks |= any_of_rows(ones_where.view(rows, cols))


def _words(x: Tensor) -> Tensor:
    """Stored elements as words of integers, so that NaN equals itself and -0 differs from 0."""
    if x.is_complex():
        return torch.view_as_real(x).contiguous().view(torch.int64).view(-1)
    return x.view(getattr(torch, together.WORDS[x.element_size()]))


def _are_equal(a: Tensor, b: Tensor) -> bool:
    """Whether words are equal; compared 8 bytes at a time where both may be read so."""
    if is_long(a) and is_long(b):
        return torch.equal(a.view(torch.int64), b.view(torch.int64))
    return torch.equal(a, b)


def _rounds_to(wide: Tensor, target: Tensor) -> bool:
    """Whether `target` is `wide` rounded to its type, element by element, as values.

    NaN equals NaN, and -0 equals 0, which integers and some 8-bit floats have alone.
    """
    rounded = wide.to(target.dtype)
    words, target_words = _words(rounded), _words(target)
    if torch.equal(words, target_words):
        return True
    differ = words != target_words
    x, y = rounded[differ].double(), target[differ].double()
    return bool(((x == y) | (x.isnan() & y.isnan())).all())
