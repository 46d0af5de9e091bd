"""What differs between all matrices of two stacks at once, on a GPU.

The host waits for nothing until `on_host`: no question is asked that would end a comparison early.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import torch
from .beside import numbers, stored_alike
from .beside_typed import in_type_of_torch
from .sketch import State
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor

WORDS = {1: "uint8", 2: "int16", 4: "int32", 8: "int64"}  # by bytes


def start(stack: int, device: str) -> State:
    """Nothing differs: (b,) counts, and whether B is A retyped."""
    retyped = torch.ones(2, stack, dtype=torch.bool, device=device)
    elements = torch.zeros(stack, dtype=torch.int64, device=device)
    return {"elements": elements, "to_b": retyped[0], "to_a": retyped[1]}


def add(state: State, tile: Tile, other: Tile, has_values: bool) -> State:
    """The state with the differences of one tile."""
    if tile.dtype == other.dtype:
        mask = _words_differ(stored_alike(tile, other), tile.dense)
        to_b = to_a = ~mask.any(1)
    elif has_values:
        mask = ~_are_values_equal(numbers(tile, other), numbers(tile, tile))
        a, b = in_type_of_torch(tile, other), in_type_of_torch(tile, tile)
        to_b = _are_values_equal(a.to(b.dtype), b).all(1)
        to_a = _are_values_equal(b.to(a.dtype), a).all(1)
    else:  # one type has no values: none is equal
        size = tile.stack, tile.box.size
        mask = torch.ones(size, dtype=torch.bool, device=tile.stored.device)
        to_b = to_a = ~mask.any(1)
    if state["rows"].shape[1]:
        state["rows"][:, slice(*tile.box.rows)] |= tile.as_matrices(mask).any(-1)
    found = {"elements": mask.sum(1), "to_b": to_b, "to_a": to_a}
    return state | merge(state, found)


def merge(a: State, b: State) -> State:
    """Counts add; B is retyped where it is in both."""
    return {
        "elements": a["elements"] + b["elements"],
        "to_b": a["to_b"] & b["to_b"],
        "to_a": a["to_a"] & b["to_a"],
    }


def on_host(state: State) -> State:
    """The same as lists."""
    names = ("elements", "to_b", "to_a")
    elements, to_b, to_a = torch.stack([state[name].long() for name in names]).tolist()
    retyped = {"to_b": [bool(x) for x in to_b], "to_a": [bool(x) for x in to_a]}
    return {"elements": elements} | retyped


def _words_differ(a: Tensor, b: Tensor) -> Tensor:
    """(b, elements) whether stored words differ: NaN equals itself, and -0 differs from 0."""
    if a.is_complex():
        parts = [torch.view_as_real(x).contiguous().view(torch.int64) for x in (a, b)]
        return (parts[0] != parts[1]).any(-1)
    word = getattr(torch, WORDS[a.element_size()])
    return a.view(word) != b.view(word)


def _are_values_equal(a: Tensor, b: Tensor) -> Tensor:
    """Element by element; NaN equals NaN, and -0 equals 0."""
    x, y = a.double(), b.double()
    return (x == y) | (x.isnan() & y.isnan())
