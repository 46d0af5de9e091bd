"""Which units share a batch, held or streamed: a pure function of shapes, types, measures, budget.

The results never depend on the budget. It decides how many tiles are in flight, whether a tensor
with several passes is held or read again, and which measures are refused because they do not fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..checkpoints import Entry
from ..geometry import Box, Shape, segments, whole
from ..sketches.sketch import bytes_of, tiling
from .device import Device
from .room import Wanted, first_entry, needs_held, stored_bytes, tile_bytes
from .unit import Unit

WINDOW = 256  # units among which equal ones are stacked
MOST = 32  # units of one stack


@dataclass(frozen=True, eq=False)
class Batch:
    """Equal units as one stack, and how they are folded."""

    units: tuple[Unit, ...]
    hold: bool  # read once and kept for every pass
    # segments folded apart and merged left to right; a single one where there are several passes
    runs: tuple[Box, ...]
    refused: dict[Wanted, int]  # measures that do not fit, and the bytes that they would need
    share: int  # bytes for one worker
    why: str

    @property
    def first(self) -> Entry:
        """The entry along whose cut the tiles run."""
        return first_entry(self.units[0])

    @property
    def shape(self) -> Shape:
        """Of every entry of every unit."""
        return self.first.shape

    @property
    def labels(self) -> tuple[str, ...]:
        """The entries that are shown; refused measures are not read for."""
        return self.units[0].shown(self.refused)

    @property
    def alone(self) -> bool:
        """Whether a unit has one entry, however many were refused beside it."""
        return len(self.units[0].shown()) == 1

    @property
    def lack(self) -> str:
        """The text that names the sufficient budget; "" where nothing is refused.

        `roomy` has reduced the workers by then, to the fewest that help.
        """
        need = -(-max(self.refused.values(), default=0) >> 20)
        if not need:
            return ""
        return f"needs {need} MiB of memory, has {self.share >> 20}: use --memory {need}MiB"


def roomy(units: Sequence[Unit], device: Device) -> Device:
    """The device with as many workers as give each one the memory that it needs.

    So whether a measure is refused never depends on --threads.
    """
    if device.is_gpu:
        return device
    for workers in range(device.workers, 1, -1):
        shared = replace(device, workers=workers)
        if not any(batch.refused for batch in plan(units, shared)):
            return shared
    return replace(device, workers=1)


def plan(units: Sequence[Unit], device: Device) -> Iterator[Batch]:
    """Batches in the order of their first unit; equal small units within a window share one."""
    # the window bounds how many results wait in the executor
    for start in range(0, len(units), WINDOW):
        for group in _groups(units[start : start + WINDOW], device):
            size = _stack(group[0], device)
            for first in range(0, len(group), size):
                yield _batch(tuple(group[first : first + size]), device)


def _stack(unit: Unit, device: Device) -> int:
    """How many units like this one are measured together.

    On a CPU each matrix is computed alone, so that memory may decide. A GPU computes a stack as
    one, with other digits for another number: the shape alone decides.
    """
    if device.is_gpu:
        room = device.stack // max(1, whole(first_entry(unit).shape).size)
    else:
        room = device.share // max(1, _most(unit, device))
    return min(MOST, max(1, room))


def _groups(units: Sequence[Unit], device: Device) -> Iterable[list[Unit]]:
    """Units that can be stacked, by what they share; every large unit alone."""
    groups: dict[object, list[Unit]] = {}
    for i, unit in enumerate(units):
        key = _likeness(unit, device) or i
        groups.setdefault(key, []).append(unit)
    return groups.values()


def _likeness(unit: Unit, device: Device) -> object:
    """What units of one stack share; None for a unit too large to be stacked."""
    rows, columns = first_entry(unit).shape
    if rows * columns * 2 > device.stack:
        return None
    entries = tuple(
        (label, entry.dtype, unit.cuts[label], unit.wants.get(label))
        for label, entry in unit.entries.items()
    )
    return (rows, columns), entries, tuple(sorted(unit.beside.items()))


def _batch(units: tuple[Unit, ...], device: Device) -> Batch:
    """How equal units are folded: held or streamed, in how many runs, without what is refused."""
    unit = units[0]
    entry = first_entry(unit)
    wants = unit.wanted
    share = device.share
    refused, room = _refused(units, device)
    granted = [(label, measure) for label, measure in wants if (label, measure) not in refused]

    # each pass and each tiling reads the tensor once unless it is held
    repeats = any(measure.passes == "more" for _, measure in wants) or _cut_twice(unit, device)
    demanded = any(needs_held(unit, label, measure) for label, measure in granted)
    stored = stored_bytes(unit, unit.shown(refused))
    fits = room + stored * len(units) <= share
    hold = stored > 0 and (demanded or (repeats and fits))

    # runs can be folded by different workers only where one pass of equal tiles is enough
    separable = not repeats and all(measure.cut == "any" for _, measure in wants)
    runs: tuple[Box, ...] = (whole(entry.shape),)
    if separable:
        runs = segments(entry.shape, entry.cut, device.segment)

    how = f"streamed in {len(runs)} run{'s' * (len(runs) > 1)}"
    if hold and separable:
        how = "held for its cuts"
    elif hold:
        how = "held for its passes"
    rows, columns = entry.shape
    why = f"{len(units)} x {rows}x{columns} {entry.dtype}: {how}"
    return Batch(units, hold, runs, refused, share, why)


def _refused(units: Sequence[Unit], device: Device) -> tuple[dict[Wanted, int], int]:
    """Measures that do not fit beside those before them, and the bytes that the others take.

    Each refused measure comes with the bytes that all measures together need. A measure that is
    only streamed needs no more than a tile; where one needs the unit held, all measures after it
    have to fit beside the held tensors.
    """
    unit, share = units[0], device.share
    tile = tile_bytes(unit, device) * len(units)
    stored = stored_bytes(unit, unit.shown()) * len(units)
    room, held = tile, 0  # bytes of states and tile, and of held tensors, without what is refused
    all_room, all_held = tile, 0  # the same with every measure
    need = 0
    refused = []
    for label, measure in unit.wanted:
        state = bytes_of(measure, first_entry(unit).shape, device.name) * len(units)
        demand = 0
        if needs_held(unit, label, measure):
            demand = stored
        all_room += state
        all_held = max(all_held, demand)
        streams = measure.cut == "any" and not demand and share >= tile
        if not streams:
            need = all_room + all_held
        if streams or room + state + max(held, demand) <= share:
            room += state
            held = max(held, demand)
        else:
            refused.append((label, measure))
    return dict.fromkeys(refused, need), room


def _cut_twice(unit: Unit, device: Device) -> bool:
    """Whether its measures need different tilings of the tensor: each tiling reads it once."""
    entry = first_entry(unit)
    cuts = {measure.cut for _, measure in unit.wanted}
    if len(cuts) < 2:
        return False
    tilings = {tiling(cut, whole(entry.shape), entry.cut, device.tile) for cut in cuts}
    return len(tilings) > 1


def _most(unit: Unit, device: Device) -> int:
    """Bytes of one unit, held, with the states of all its measures."""
    shape = first_entry(unit).shape
    states = sum(bytes_of(measure, shape, device.name) for _, measure in unit.wanted)
    held = stored_bytes(unit, unit.shown())
    return tile_bytes(unit, device) + held + states
