"""Units that do not fit into the memory whole, measured in their parts one after the other.

The parts of a unit name the same entries and measures: their results together are those of the
whole, but what several parts need is read once for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .device import Device
from .plan import plan
from .unit import Each, Measured, Unit

Parts = Sequence[tuple[Unit, Sequence[Unit]]]  # each unit with the units that are measured


def divided(units: Sequence[Unit], device: Device) -> Parts:
    """Each unit with what is measured of it: itself where it fits, else its parts."""
    if device.is_gpu:  # a part would be in other stacks than the whole; the CPU measures in parts
        return [(unit, (unit,)) for unit in units]
    alone = replace(device, workers=1)
    return [(unit, (unit,) if _fits(unit, alone) else unit.parts) for unit in units]


def _fits(unit: Unit, device: Device) -> bool:
    """Whether a unit has no parts, or nothing of it would be refused."""
    return not unit.parts or not any(batch.refused for batch in plan([unit], device))


def of_wholes(parts: Parts, each: Each) -> Each:
    """`each`, for units that are measured whole: the values of the others follow from all parts."""
    whole = {id(unit) for unit, measured in parts if measured == (unit,)}

    def values(measured: Measured) -> Mapping[str, object]:
        return each(measured) if id(measured.unit) in whole else {}

    return values


def united(parts: Parts, results: Iterable[Measured], each: Each) -> Iterator[Measured]:
    """The results of the units, from those of what was measured, in the same order."""
    waiting = iter(results)
    for unit, measured in parts:
        found = [next(waiting) for _ in measured]
        if measured == (unit,):
            yield found[0]
            continue
        sketches: dict[str, dict[Any, Any]] = {label: {} for label in unit.wants}
        for part in found:
            for label, of_label in part.sketches.items():
                sketches[label] |= of_label
        notes = [part.note for part in found if part.note]
        moved = [part.moved for part in found if part.moved]
        whole = Measured(unit, sketches, notes[0] if notes else "", moved[0] if moved else "")
        yield replace(whole, values=each(whole))
