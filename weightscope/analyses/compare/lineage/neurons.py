"""Neurons: which neuron of A each neuron of B is, and whether both models are independent.

The gate, up and down matrices of a feed-forward layer share its neurons. Their products with those
of the layer of A that corresponds are one read of both; nothing is read for each pair of layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ....checkpoints import Entry
from ....checkpoints.views import Transpose
from ....engine.unit import Measurer, Unit
from ....lazy import numpy as np
from ....sketches import Cross, CrossProducts
from ....statistics.lineage import (
    Assignment,
    Independence,
    assignment,
    independence,
    neuron_cosines,
    too_many,
)
from ....statistics.pairs.labels import BESIDE, A, B
from ...measuring import no_values
from ..pair import Pair
from .families import entry_of, shape_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

HIDDEN = "mlp_hidden"
GATE, UP, DOWN = "gate", "up", "down"
CROSS = Cross(A)
Layer = tuple[str, int | None, int | None, str]  # stack, layers of A and of B, expert


@dataclass(frozen=True, eq=False)
class Block:
    """The matrices of a feed-forward layer of A and of B, by gate, up and down."""

    layer: Layer
    pairs: dict[str, Pair] = field(default_factory=dict)

    @property
    def neurons(self) -> tuple[int, int]:
        """Of A and of B."""
        return _neurons(next(iter(self.pairs.values())))

    @property
    def is_even(self) -> bool:
        """Whether all its matrices have the same numbers of neurons; names alone prove nothing."""
        return len({_neurons(pair) for pair in self.pairs.values()}) == 1


@dataclass(frozen=True, eq=False)
class Matched:
    """The assignment of the neurons of a block, and the independence of two of its matrices."""

    layer: Layer
    found: Assignment | None
    independence: Independence | None = None

    @property
    def order(self) -> NDArray[np.int64] | None:
        """The neuron of B for each neuron of A, where B has them in another order."""
        if self.found is None or not self.found.permuted:
            return None
        return order_of(self.found.of_a)

    @property
    def columns(self) -> dict[str, object]:
        """The values of the columns of the search."""
        values: dict[str, object] = {}
        if self.found is not None:
            values["matched_share"] = self.found.share
            values["matched_cosine"] = self.found.cosine
            values["matched_cosine_null"] = self.found.null
        if self.independence is not None:
            values["independence_p"] = self.independence.p
        return values


def order_of(of_a: NDArray[Any]) -> NDArray[np.int64]:
    """The inverse of an assignment; neurons without a partner fill the places that are left.

    >>> order_of(np.array([2, -1, 0])).tolist()
    [2, 1, 0]
    """
    order = np.full(len(of_a), -1, dtype=np.int64)
    known = np.flatnonzero(of_a >= 0)
    order[of_a[known]] = known
    left = np.setdiff1d(np.arange(len(of_a)), known)
    order[order < 0] = left
    return order


def layer_of(pair: Pair) -> Layer:
    """The layers of both sides, and the number of an expert."""
    a, b = pair.both
    return a.place.stack, a.place.layer, b.place.layer, b.place.part


def blocks(pairs: Sequence[Pair]) -> list[Block]:
    """The blocks whose matrices have equal shapes in A and in B, two matrices each at least."""
    found: dict[Layer, Block] = {}
    for pair in pairs:
        role = pair.place.role.rpartition(".")[2]
        if role not in (GATE, UP, DOWN) or not _is_alike(pair):
            continue
        layer = layer_of(pair)
        block = found.setdefault(layer, Block(layer))
        block.pairs.setdefault(role, pair)
    return [block for block in found.values() if len(block.pairs) > 1 and block.is_even]


def _neurons(pair: Pair) -> tuple[int, int]:
    """Of A and of B."""
    a, b = pair.both
    axis = 0 if pair.place.out_set == HIDDEN else 1
    return shape_of(a)[axis], shape_of(b)[axis]


def _is_alike(pair: Pair) -> bool:
    """Whether both sides are matrices of one shape, with the neurons of a layer on one side."""
    if pair.a is None or pair.b is None or pair.resized:
        return False
    if not pair.a.is_matrix or not pair.b.is_matrix:
        return False
    return HIDDEN in (pair.place.out_set, pair.place.in_set)


def skipped(found: Sequence[Block]) -> list[Block]:
    """Blocks with more neurons than are assigned."""
    return [block for block in found if too_many(*block.neurons)]


def matched(found: Sequence[Block], measure: Measurer, independent: bool) -> Iterator[Matched]:
    """The assignment of each block; `independent`: also of two of its matrices apart."""
    chosen = [block for block in found if not too_many(*block.neurons)]
    by_block = [[_unit(role, pair) for role, pair in block.pairs.items()] for block in chosen]
    every = [unit for units in by_block for unit in units]
    if not every:
        return
    measured = measure(every, no_values)
    for block, units in zip(chosen, by_block, strict=True):
        products: dict[str, CrossProducts] = {}
        for _ in units:
            result = next(measured)
            sketch = result.sketches[B].get(CROSS)
            if sketch is not None:
                products[result.unit.key] = sketch
        yield _matched(block.layer, products, independent)


def _unit(role: str, pair: Pair) -> Unit:
    """Both matrices with neurons as columns."""
    entries: dict[str, Entry] = {}
    for label, piece in zip((A, B), pair.both, strict=True):
        entry = entry_of(piece)
        if pair.place.out_set == HIDDEN:
            entry = Transpose(entry)
        entries[label] = entry
    return Unit(role, entries, {B: frozenset({CROSS})}, BESIDE)


def _matched(layer: Layer, products: Mapping[str, CrossProducts], independent: bool) -> Matched:
    """The assignment by all matrices, and by two of them apart."""
    found = _assigned(list(products.values()))
    apart = None
    if independent and len(products) > 1:
        # gate and up rows see the same inputs; down columns serve where there is no gate
        first, second = [products[role] for role in (GATE, UP, DOWN) if role in products][:2]
        one, other = _assigned([first]), _assigned([second])
        if one is not None and other is not None:
            apart = independence(one.of_a, other.of_a)
    return Matched(layer, found, apart)


def _assigned(products: Sequence[CrossProducts]) -> Assignment | None:
    cosines = neuron_cosines(products)
    if cosines is None:
        return None
    return assignment(cosines)
