"""Which units go together, held or streamed: a pure function of shapes, types, measures and budget.

What is computed never depends on the budget: it decides how many tiles are in flight, whether a tensor that is looked
at more than once is held or read again, and which measures are refused because they need more than there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..checkpoints import Entry, joined
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
    runs: tuple[
        Box, ...
    ]  # segments folded apart and merged left to right; one where passes follow passes
    refused: dict[tuple[str, Measure], int]  # what does not fit, and the bytes that it would need
    share: int  # bytes for one worker
    why: str

    @property
    def first(self) -> Entry:
        """The entry along whose cut the tiles run."""
        return _entry(self.units[0])

    @property
    def shape(self) -> Shape:
        """Of every entry of every unit."""
        return self.first.shape

    @property
    def labels(self) -> tuple[str, ...]:
        """The entries that are shown: what is refused is not read."""
        return self.units[0].shown(self.refused)

    @property
    def alone(self) -> bool:
        """Whether a unit is one entry, however many were refused beside it."""
        return len(self.units[0].shown()) == 1

    @property
    def lack(self) -> str:
        """What a larger budget would have to be; "" where nothing is refused. Workers are as few as helps by then."""
        need = -(-max(self.refused.values(), default=0) >> 20)
        return (
            f"needs {need} MiB of memory, has {self.share >> 20}: say --memory {need}MiB"
            if need
            else ""
        )


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
    entries = tuple(
        (label, e.dtype, e.cut, unit.wants.get(label)) for label, e in unit.entries.items()
    )
    return shape, entries, tuple(sorted(unit.beside.items()))


def _batch(units: tuple[Unit, ...], device: Device) -> Batch:
    first, share = units[0], _share(device)
    entry, wants = _entry(first), _wants(first)
    again = any(m.passes == "more" for _, m in wants) or _shown_twice(first, device)
    refused, room = _refused(units, device)
    stored = _stored(first, first.shown(refused))
    demanded = any(_at_once(first, label, m) for label, m in wants if (label, m) not in refused)
    hold = stored > 0 and (demanded or (again and room + stored * len(units) <= share))
    apart = not again and all(m.cut == "any" for _, m in wants)
    runs = segments(entry.shape, entry.cut, device.segment) if apart else (whole(entry.shape),)
    how = f"streamed in {len(runs)} run{'s' * (len(runs) > 1)}"
    if hold:
        how = "held for its cuts" if apart else "held for its passes"
    what = f"{len(units)} x {entry.shape[0]}x{entry.shape[1]} {entry.dtype}"
    return Batch(units, hold, runs, refused, share, f"{what}: {how}")


def _refused(units: Sequence[Unit], device: Device) -> tuple[dict[tuple[str, Measure], int], int]:
    """Measures that do not fit beside those before them, each with what all of them need; what the others take.

    A measure that is only streamed needs no more than a tile; where one demands that the unit is held, what comes after
    it has to fit beside that.
    """
    first, many, share = units[0], len(units), _share(device)
    tile, stored = _tile(first, device) * many, _stored(first, first.shown()) * many
    room, held = tile, 0  # with what was refused left out
    total, kept = tile, 0  # with everything
    need, refused = 0, []
    for label, measure in _wants(first):
        state = measure.bytes(_entry(first).shape) * many
        demand = stored if _at_once(first, label, measure) else 0
        total, kept = total + state, max(kept, demand)
        streams = measure.cut == "any" and not demand and share >= tile
        if not streams:
            need = total + kept
        if streams or room + state + max(held, demand) <= share:
            room, held = room + state, max(held, demand)
        else:
            refused.append((label, measure))
    return dict.fromkeys(refused, need), room


def _entry(unit: Unit) -> Entry:
    return next(iter(unit.entries.values()))


def _wants(unit: Unit) -> list[tuple[str, Measure]]:
    return sorted(((label, m) for label, ms in unit.wants.items() for m in ms), key=repr)


def _shown_twice(unit: Unit, device: Device) -> bool:
    """Whether its measures are shown the tensor in several ways: each is a reading."""
    entry, cuts = _entry(unit), {m.cut for _, m in _wants(unit)}
    return (
        len(cuts) > 1
        and len({tiling(cut, whole(entry.shape), entry.cut, device.tile) for cut in cuts}) > 1
    )


def _share(device: Device) -> int:
    """Bytes for one worker."""
    return device.budget // device.workers


def _tile(unit: Unit, device: Device) -> int:
    """Bytes of the largest tile of every entry that is shown, at worst."""
    entry = _entry(unit)
    return tiles(whole(entry.shape), entry.cut, device.tile)[0].size * WORKING * len(unit.shown())


def _stored(unit: Unit, labels: Sequence[str]) -> int:
    """Bytes of what is held for these entries: the values of one; of several each stored byte once.

    What a measure sees whole is then made of them: mostly a view, but not of every type and layout.
    """
    entries = [unit.entries[label] for label in labels]
    if len(unit.shown()) == 1:
        return sum(_values(entry) for entry in entries)
    spans = joined(span for e in entries for span in e.needs(whole(e.shape)))
    at_once = {seen for label, m in _wants(unit) if m.cut == "whole" for seen in unit.seen(label)}
    made = sum(_values(unit.entries[label]) for label in labels if label in at_once)
    return sum(span.bytes[1] for span in spans) + made


def _values(entry: Entry) -> int:
    """Bytes of all values as `make` gives them."""
    return -(-DTYPES[entry.dtype].bits // 8) * entry.shape[0] * entry.shape[1]


def _most(unit: Unit, device: Device) -> int:
    """Bytes of one unit with all that is wanted of it, held."""
    states = sum(m.bytes(_entry(unit).shape) for _, m in _wants(unit))
    return _tile(unit, device) + _stored(unit, unit.shown()) + states


def _at_once(unit: Unit, label: str, measure: Measure) -> bool:
    """Whether a measure needs matrices there at once: it sees one that is read otherwise than it is cut."""
    if measure.cut == "whole":
        return True
    entry = _entry(unit)
    axis = long_side(entry.shape) if measure.cut == "long" else entry.cut
    return any(unit.entries[seen].cut != axis for seen in unit.seen(label))
