"""Measures of several entries: the labels of the others, and their tiles in one memory order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..dtypes import DTYPES
from .sketch import Measure
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor


def relabelled(measure: Measure, labels: Mapping[str, str]) -> Measure:
    """The measure with new labels of the other entries that it sees; itself where it sees none.

    They stand in its field `other`, or `others` where it sees several.

    >>> from .pair_moments import Pairwise
    >>> relabelled(Pairwise("a"), {"a": "first", "b": "second"})
    Pairwise(other='first')
    """
    changed: Any = measure
    if hasattr(measure, "other"):
        changed = replace(changed, other=labels[changed.other])
    if hasattr(measure, "others"):
        others = tuple(labels[label] for label in changed.others)
        changed = replace(changed, others=others)
    found: Measure = changed
    return found


def stored_alike(tile: Tile, other: Tile) -> Tensor:
    """The stored elements of `other`, (b, elements), in the memory order of `tile`."""
    if tile.mirrored == other.mirrored:
        return other.dense
    return _reordered(tile, other, other.stored)


def numbers(tile: Tile, other: Tile) -> Tensor:
    """Values of `other`, (b, elements), in the memory order of `tile`, in any numeric type.

    Stored elements where torch converts them to float64 correctly: no copy is made.
    """
    dtype = DTYPES[other.dtype]
    if dtype.negatable and dtype.kind != "uint":
        return stored_alike(tile, other)
    if tile.mirrored == other.mirrored:
        return other.flat
    return _reordered(tile, other, other.values)


def _reordered(tile: Tile, other: Tile, matrices: Tensor) -> Tensor:
    """(b, rows, columns) of `other` as (b, elements) in the memory order of `tile`, a copy."""
    x = matrices.mT if tile.mirrored else matrices
    buffer = other.scratch.take("reordered", tuple(x.shape), x.dtype)
    return buffer.copy_(x).view(other.stack, -1)
