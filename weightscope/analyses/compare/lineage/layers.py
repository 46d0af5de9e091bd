"""Which layer of A each layer of B is, from samples of all matrices, one family after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ....engine.unit import Measurer, Unit
from ....lazy import numpy as np
from ....statistics.lineage import LEAST, LayerCosines, layer_map, ranges
from ...measuring import no_values
from ...piece import Piece
from .families import Family
from .likeness import likeness
from .sampling import Plan, plan_of
from .ties import Tie, candidates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sample = NDArray[np.float32] | None

MOST = 512  # layers: cosines are of all pairs of them


@dataclass(frozen=True, eq=False)
class Sampled:
    """The cosines of a family, (A's, B's), and what may be tied in B."""

    family: Family
    cosines: LayerCosines
    ties: Sequence[Tie]

    @cached_property
    def rows(self) -> Mapping[Piece, int]:
        """The row of the cosines of each matrix of A."""
        return {piece: row for row, piece in enumerate(self.family.a)}

    @cached_property
    def columns(self) -> Mapping[Piece, int]:
        """The column of the cosines of each matrix of B."""
        return {piece: column for column, piece in enumerate(self.family.b)}


@dataclass(frozen=True, eq=False)
class Stack:
    """The layers of a stack of B, each with its layer of A; None for one that is none of A."""

    name: str
    layers: Mapping[int, int | None]
    in_a: Sequence[int]

    @property
    def found(self) -> Mapping[int, int]:
        """Layers of B that are layers of A."""
        return {b: a for b, a in self.layers.items() if a is not None}

    @property
    def partners(self) -> Mapping[int, int]:
        """The layer of A that each layer of B is compared with.

        One that is none of A is compared with that of its number, unless another one has it: a
        layer that was trained hard stays beside its start.
        """
        partners = dict(self.found)
        taken = set(partners.values())
        for layer in self.layers:
            if layer not in partners and layer in self.in_a and layer not in taken:
                partners[layer] = layer
        return partners

    @property
    def is_identity(self) -> bool:
        """Whether each layer has the partner of its number, and none of A is missing."""
        if list(self.layers) != list(self.in_a):
            return False
        return all(self.partners.get(layer) == layer for layer in self.layers)

    @property
    def text(self) -> str:
        """The map as ranges: `0-3,2-5`."""
        return ranges(list(self.layers.values()))


def sampled(families: Sequence[Family], measure: Measurer) -> Iterator[Sampled]:
    """Samples of the matrices in layers; those of one family are in memory at a time."""
    plans = [plan_of((*family.a, *family.b), *family.shapes) for family in families]
    by_family = [list(_units(*one)) for one in zip(families, plans, strict=True)]
    every = [unit for units in by_family for unit in units]
    if not every:
        return
    measured = measure(every, no_values)
    for family, plan, units in zip(families, plans, by_family, strict=True):
        samples = [plan.values(next(measured)) for _ in units]
        count = len(family.a)
        of_a, of_b = samples[:count], samples[count:]
        yield Sampled(family, likeness(plan, of_a, of_b), _ties(family, of_b))


def _units(family: Family, plan: Plan) -> Iterator[Unit]:
    """One unit for each matrix of A, then of B."""
    for piece in family.a:
        yield plan.unit_of_a(piece)
    for piece in family.b:
        yield plan.unit_of_b(piece)


def _ties(family: Family, samples: Sequence[Sample]) -> list[Tie]:
    """What may be tied among B's matrices."""
    pieces: list[Piece] = []
    values: list[NDArray[np.float32]] = []
    for piece, sample in zip(family.b, samples, strict=True):
        if sample is not None:
            pieces.append(piece)
            values.append(sample)
    return candidates(family.key, pieces, values)


def stacks_found(found: Sequence[Sampled]) -> list[Stack]:
    """The layers of each stack, from the families whose cosines say anything."""
    by_stack: dict[str, list[Sampled]] = {}
    for one in found:
        by_stack.setdefault(one.family.key.stack, []).append(one)
    return [_stack(name, members) for name, members in by_stack.items()]


def _stack(name: str, members: Sequence[Sampled]) -> Stack:
    """One stack; no layer of A for any layer of B where no family says anything."""
    in_a = sorted({_layer(piece) for one in members for piece in one.family.a})
    in_b = sorted({_layer(piece) for one in members for piece in one.family.b})
    roles = {}
    for number, one in enumerate(members):
        known = np.nan_to_num(one.cosines.values, nan=-1.0)
        # a role without a cosine of this size says nothing about layers
        if known.size and known.max() >= LEAST:
            roles[f"{number} {one.family.key.name}"] = _placed(one, in_a, in_b)
    if not roles:
        return Stack(name, dict.fromkeys(in_b), in_a)
    found = layer_map(roles)
    layers: dict[int, int | None] = {}
    for layer, of_a in zip(in_b, found.layers, strict=True):
        layers[layer] = None if of_a is None else in_a[of_a]
    return Stack(name, layers, in_a)


def _placed(one: Sampled, in_a: Sequence[int], in_b: Sequence[int]) -> LayerCosines:
    """The cosines of a family at the layers of the stack, NaN where it has no matrix."""
    rows = [in_a.index(_layer(piece)) for piece in one.family.a]
    columns = [in_b.index(_layer(piece)) for piece in one.family.b]
    values = np.full((len(in_a), len(in_b)), np.nan)
    values[np.ix_(rows, columns)] = one.cosines.values
    return LayerCosines(values, one.cosines.elements)


def _layer(piece: Piece) -> int:
    assert piece.place.layer is not None
    return piece.place.layer


def in_layers(families: Sequence[Family]) -> list[Family]:
    """The families whose matrices are in layers, and few enough for all pairs of them."""
    layered = [family for family in families if family.a[0].place.layer is not None]
    return [family for family in layered if not is_deep(family)]


def is_deep(family: Family) -> bool:
    """Whether it has more layers than are matched."""
    return max(len(family.a), len(family.b)) > MOST
