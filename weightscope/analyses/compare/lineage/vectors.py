"""Vectors under the slices of matrices: norms and biases follow the index set that they live on.

The elements of a vector do not tell maps apart: gains are alike under every map.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ....statistics.lineage import Slice, axis_of
from ..pair import Pair
from .slicing import Sliced, on_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....lazy import numpy as np

    Lines = tuple[NDArray[np.int64] | None, NDArray[np.int64] | None]

Sizes = tuple[str, int, int]  # index set, its size in A and in B


def maps_of_sets(found: Sequence[Sliced]) -> Mapping[Sizes, str]:
    """The most frequent map of each index set, by its sizes."""
    votes: dict[Sizes, Counter[str]] = {}
    for one in found:
        if not isinstance(one.found, Slice):
            continue
        place = one.pair.place
        for name, axis, by in (
            (place.out_set, one.plan.rows, one.found.rows),
            (place.in_set, one.plan.columns, one.found.columns),
        ):
            if name and axis.size_a != axis.size_b:
                sizes = name, axis.size_a, axis.size_b
                votes.setdefault(sizes, Counter())[by] += 1
    return {sizes: counter.most_common(1)[0][0] for sizes, counter in votes.items()}


def followed(pair: Pair, maps: Mapping[Sizes, str]) -> Pair | None:
    """A pair of vectors of two lengths under the map of its index set; None without one."""
    if pair.a is None or pair.b is None or not pair.reshaped:
        return None
    if pair.a.entry is None or pair.b.entry is None:
        return None
    (rows_a, size_a), (rows_b, size_b) = pair.a.entry.shape, pair.b.entry.shape
    name = maps.get((pair.place.in_set, size_a, size_b))
    if rows_a != 1 or rows_b != 1 or name is None:
        return None
    axis = axis_of(size_a, size_b, 1)
    by = axis.named(name)
    columns: Lines = (axis.every_a(by), axis.every_b(by))
    paired = on_lines(pair, (None, None), columns)
    return replace(paired, rule=f"elements by {name}")
