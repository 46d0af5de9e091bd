"""From the sketches of a batch to the results of its units, and these in the order of the units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .plan import Batch
from .room import Wanted
from .unit import Each, Measured, Unit


def result(batch: Batch, finished: Mapping[Wanted, Any], i: int, each: Each) -> Measured:
    """The sketches of unit `i` by label and measure, without the refused ones, and its values."""
    unit = batch.units[i]
    sketches: dict[str, dict[Any, Any]] = {}
    for label, measures in unit.wants.items():
        sketches[label] = {
            measure: finished[label, measure][i]
            for measure in measures
            if (label, measure) in finished
        }
    measured = Measured(unit, sketches, batch.lack)
    return replace(measured, values=each(measured))


def in_order(units: Sequence[Unit], batches: Iterable[Sequence[Measured]]) -> Iterator[Measured]:
    """Results in the order of the units: a stack finishes units out of order, which wait here."""
    position = {id(unit): i for i, unit in enumerate(units)}
    waiting: dict[int, Measured] = {}
    turn = 0
    for batch in batches:
        for measured in batch:
            waiting[position[id(measured.unit)]] = measured
        while turn in waiting:
            yield waiting.pop(turn)
            turn += 1
