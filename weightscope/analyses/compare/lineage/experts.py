"""Experts of B that were copied or cut from the dense layers of A, or that equal each other.

The sample of an expert is the same neurons of each expert, and of each shard of the dense layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ....checkpoints import Entry
from ....checkpoints.views import Chosen, Indices, Part, Transpose
from ....engine.unit import Measured, Measurer, Unit
from ....geometry import Index
from ....lazy import numpy as np
from ....sketches import Kept
from ....statistics.lineage import ExpertRule, among_experts, from_dense, spaced
from ...measuring import no_values
from ...piece import Piece
from ..pair import MATCHING, Pair, pair_of
from .families import entry_of, shape_of
from .keys import EXPERT, is_numbered_expert, key_of_b
from .neurons import HIDDEN
from .sampling import ACROSS, LINES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sets = NDArray[np.float32]

FEWEST = 2  # experts of a layer
Spot = tuple[str, int | None, str]  # stack, layer of B, role


@dataclass(eq=False)
class Bank:
    """The experts of one role in a layer of B, by number, and the dense matrix of A, if any."""

    spot: Spot
    experts: dict[int, Piece] = field(default_factory=dict)
    dense: Piece | None = None

    @property
    def layer(self) -> int | None:
        """Of B."""
        _, layer, _ = self.spot
        return layer

    @property
    def ordered(self) -> list[Piece]:
        """By number."""
        return [self.experts[number] for number in sorted(self.experts)]

    @property
    def shards(self) -> int:
        """How many experts have the neurons of the dense matrix; 0 where widths do not fit."""
        if self.dense is None:
            return 0
        neurons, inputs = _oriented(self.dense).shape
        of_expert, inputs_of_expert = _oriented(self.ordered[0]).shape
        if inputs != inputs_of_expert or neurons % of_expert:
            return 0
        return neurons // of_expert


@dataclass(frozen=True, eq=False)
class Origin:
    """What was found of a bank: its rule, and whether that says where in A it came from."""

    bank: Bank
    rule: ExpertRule
    is_from_dense: bool


def banks(pairs: Sequence[Pair], stacks: Mapping[str, str]) -> list[Bank]:
    """The banks of B whose experts have the dense matrix of A, or nothing, as a partner."""
    found: dict[Spot, Bank] = {}
    for pair in pairs:
        if pair.b is None or not pair.b.is_matrix or not is_of_bank(pair):
            continue
        key = key_of_b(pair.b, stacks)
        spot = (key.stack, pair.b.place.layer, key.role)
        bank = found.setdefault(spot, Bank(spot, dense=pair.a))
        bank.experts[int(key.part)] = pair.b
    return [bank for bank in found.values() if len(bank.experts) >= FEWEST and _is_even(bank)]


def is_of_bank(pair: Pair) -> bool:
    """Whether B's side is a numbered expert and A's side is none."""
    if pair.b is None or not is_numbered_expert(pair.b):
        return False
    return pair.a is None or not pair.a.place.role.startswith(EXPERT)


def shard_of(pair: Pair, granularity: int) -> Pair:
    """The expert of B with its neurons of the dense matrix of A."""
    dense, of_expert = pair.both
    number = int(of_expert.place.part) % granularity
    is_up = of_expert.place.out_set == HIDDEN
    neurons = shape_of(of_expert)[0 if is_up else 1]
    chosen = Index(number * neurons, neurons)
    rule = "expert copied"
    entry = entry_of(dense)
    if granularity > 1:
        rule = f"expert shard {number + 1} of {granularity}"
        if is_up:
            entry = Part(entry, chosen)
        else:
            entry = Transpose(Part(Transpose(entry), chosen))
    placed = pair_of(replace(dense, entry=entry), of_expert)
    return replace(placed, notes=pair.notes, rule=rule, least=MATCHING)


def _is_even(bank: Bank) -> bool:
    """Whether all experts have one shape."""
    shapes = {_oriented(piece).shape for piece in bank.experts.values()}
    return len(shapes) == 1


def _oriented(piece: Piece) -> Entry:
    """The matrix with neurons as rows."""
    if piece.place.out_set == HIDDEN:
        return entry_of(piece)
    return Transpose(entry_of(piece))


def origins(found: Sequence[Bank], measure: Measurer) -> Iterator[Origin]:
    """The rule of each bank that has one, from one sample of its experts and the dense matrix."""
    by_bank = [_units(bank) for bank in found]
    every = [unit for units in by_bank for unit in units]
    if not every:
        return
    measured = measure(every, no_values)
    for bank, units in zip(found, by_bank, strict=True):
        samples = [_values(next(measured)) for _ in units]
        origin = _origin(bank, samples)
        if origin is not None:
            yield origin


def _units(bank: Bank) -> list[Unit]:
    """Of each expert, then of the dense matrix."""
    neurons, inputs = _oriented(bank.ordered[0]).shape
    rows = spaced(neurons, LINES)
    columns = Indices.of(spaced(inputs, ACROSS))
    units = [_unit(piece, Indices.of(rows), columns) for piece in bank.ordered]
    if bank.dense is not None and bank.shards:
        starts = np.arange(bank.shards, dtype=np.int64) * neurons
        of_shards = (starts[:, None] + rows).ravel()
        units.append(_unit(bank.dense, Indices.of(of_shards), columns))
    return units


def _unit(piece: Piece, rows: Indices, columns: Indices) -> Unit:
    entry = Chosen(_oriented(piece), rows, columns)
    return Unit(piece, {"": entry}, {"": frozenset({Kept()})})


def _values(measured: Measured) -> Sets | None:
    kept = measured.sketches[""].get(Kept())
    return None if kept is None else kept.values


def _origin(bank: Bank, samples: Sequence[Sets | None]) -> Origin | None:
    """From the dense matrix, else among the experts alone."""
    present = [sample for sample in samples if sample is not None]
    if len(present) < len(samples):
        return None
    count = len(bank.experts)
    experts = np.stack(present[:count])
    if len(present) > count:
        (dense,) = present[count:]
        shards = dense.reshape(bank.shards, *experts.shape[1:])
        rule = from_dense(experts, shards)
        if rule is not None:
            return Origin(bank, rule, is_from_dense=True)
    rule = among_experts(experts)
    return None if rule is None else Origin(bank, rule, is_from_dense=False)
