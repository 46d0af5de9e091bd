"""Which units go together, held or streamed: a pure function of shapes, types, measures and budget.

What is computed never depends on the budget: it decides how many tiles are in flight, whether a tensor that is looked
at more than once is held or read again, and which measures are refused because they need more than there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..checkpoints import Entry
from ..dtypes import DTYPES
from ..geometry import Box, Shape, long_side, segments, tiles, whole
from ..sketches.sketch import Measure, tiling
from .device import Device
from .unit import Unit

WORKING = 64  # bytes an element of a tile takes at worst: stored, patterns, float32, float64 of an unsafe tile
WINDOW, MOST = 256, 32  # units among which equal ones are stacked, and how many at most


@dataclass(frozen=True, eq=False)
class Batch:
    """Equal units as one stack, and how they are folded."""

    units: tuple[Unit, ...]
    hold: bool  # read once and kept for every pass
    runs: tuple[Box, ...]  # segments folded apart and merged left to right; one where passes follow passes
    refused: dict[tuple[str, Measure], int]  # what does not fit, and the bytes that it would need
    share: int  # bytes for one worker
    why: str

    @property
    def shape(self) -> Shape:
        """Of every entry of every unit."""
        return _entry(self.units[0]).shape

    @property
    def lack(self) -> str:
        """What a larger budget would have to be; "" where nothing is refused. Workers are as few as helps by then."""
        need = -(-max(self.refused.values(), default=0) >> 20)
        return f"needs {need} MiB of memory, has {self.share >> 20}: say --memory {need}MiB" if need else ""


def roomy(units: Sequence[Unit], device: Device) -> Device:
    """The device with as many workers as leave each the room it needs: what is refused never depends on --threads."""
    for workers in range(device.workers, 1, -1):
        shared = replace(device, workers=workers)
        if not any(batch.refused for batch in plan(units, shared)):
            return shared
    return replace(device, workers=1)


def plan(units: Sequence[Unit], device: Device) -> Iterator[Batch]:
    """Batches in the order of their first unit; equal small units within a window share one."""
    for at in range(0, len(units), WINDOW):
        groups: dict[object, list[Unit]] = {}
        for i, unit in enumerate(units[at : at + WINDOW]):
            groups.setdefault(_likeness(unit, device) or i, []).append(unit)
        for group in groups.values():
            most = min(MOST, max(1, _share(device) // max(1, _most(group[0], device))))
            for start in range(0, len(group), most):
                yield _batch(tuple(group[start : start + most]), device)


def _likeness(unit: Unit, device: Device) -> object:
    """What units of one stack share; None for a unit too large to be stacked."""
    shape = _entry(unit).shape
    if shape[0] * shape[1] * 2 > device.stack:
        return None
    return shape, tuple((label, e.dtype, e.cut, unit.wants[label]) for label, e in unit.entries.items())


def _batch(units: tuple[Unit, ...], device: Device) -> Batch:
    first = units[0]
    entry, wants = _entry(first), _wants(first)
    again = any(m.passes == "more" for _, m in wants) or _shown_twice(first, device)
    refused, held = _refused(units, device)
    demanded = any(_at_once(m, entry) for label, m in wants if (label, m) not in refused)
    hold = _stored(first) > 0 and (demanded or (again and held <= _share(device)))
    apart = not again and all(m.cut == "any" for _, m in wants)
    runs = segments(entry.shape, entry.cut, device.segment) if apart else (whole(entry.shape),)
    how = "held for its passes" if hold else f"streamed in {len(runs)} run{'s' * (len(runs) > 1)}"
    what = f"{len(units)} x {entry.shape[0]}x{entry.shape[1]} {entry.dtype}"
    return Batch(units, hold, runs, refused, _share(device), f"{what}: {how}")


def _refused(units: Sequence[Unit], device: Device) -> tuple[dict[tuple[str, Measure], int], int]:
    """Measures that do not fit beside those before them, and what the others take with the tensors held."""
    first, many, refused, more = units[0], len(units), {}, 0
    entry, stored, tile = _entry(first), _stored(first) * many, _tile(first, device) * many
    room = tile
    for label, measure in _wants(first):
        state = measure.bytes(entry.shape) * many
        held = stored * _at_once(measure, entry)
        if _fits(measure, room + state + held, tile, _share(device)):
            room += state
        else:
            more += state
            refused[label, measure] = room + more + held
    return refused, room + stored


def _entry(unit: Unit) -> Entry:
    return next(iter(unit.entries.values()))


def _wants(unit: Unit) -> list[tuple[str, Measure]]:
    return sorted(((label, m) for label, ms in unit.wants.items() for m in ms), key=repr)


def _shown_twice(unit: Unit, device: Device) -> bool:
    """Whether its measures are shown the tensor in several ways: each is a reading."""
    entry, cuts = _entry(unit), {m.cut for _, m in _wants(unit)}
    return len(cuts) > 1 and len({tiling(cut, whole(entry.shape), entry.cut, device.tile) for cut in cuts}) > 1


def _share(device: Device) -> int:
    """Bytes for one worker."""
    return device.budget // device.workers


def _tile(unit: Unit, device: Device) -> int:
    """Bytes of the largest tile of every entry, at worst."""
    entry = _entry(unit)
    return tiles(whole(entry.shape), entry.cut, device.tile)[0].size * WORKING * len(unit.entries)


def _stored(unit: Unit) -> int:
    """Bytes of the tensors as they are stored."""
    return sum(-(-DTYPES[e.dtype].bits // 8) * e.shape[0] * e.shape[1] for e in unit.entries.values())


def _most(unit: Unit, device: Device) -> int:
    """Bytes of one unit with all that is wanted of it, held."""
    states = sum(m.bytes(_entry(unit).shape) for _, m in _wants(unit))
    return _tile(unit, device) + _stored(unit) + states


def _at_once(measure: Measure, entry: Entry) -> bool:
    """Whether a measure needs the whole matrix there, as it is cut otherwise than it is read."""
    return measure.cut == "whole" or (measure.cut == "long" and entry.cut != long_side(entry.shape))


def _fits(measure: Measure, need: int, tile: int, share: int) -> bool:
    """Whether a measure can be taken within the budget of one worker, beside those before it."""
    return need <= share or (measure.cut == "any" and share >= tile)
