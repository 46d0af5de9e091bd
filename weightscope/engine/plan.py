"""Which units share a batch, held or streamed: a pure function of shapes, types, measures, budget.

The results never depend on the budget. It decides how many tiles are in flight, whether a tensor
with several passes is held or read again, and which measures are refused because they do not fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..checkpoints import Entry, joined
from ..dtypes import DTYPES
from ..geometry import Box, Shape, long_side, segments, tiles, whole
from ..sketches.sketch import Measure, bytes_of, tiling
from .device import Device
from .unit import Unit

# bytes an element of a tile takes at worst: stored, patterns, float32, float64 of an unsafe tile
WORKING = 64
SLOTS = 4  # copies of the stored bytes of a tile: two in pinned memory, two on the GPU
WINDOW = 256  # units among which equal ones are stacked
MOST = 32  # units of one stack

Wanted = tuple[str, Measure]  # label of an entry, measure


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
        return _entry(self.units[0])

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
        room = device.stack // max(1, whole(_entry(unit).shape).size)
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
    rows, columns = _entry(unit).shape
    if rows * columns * 2 > device.stack:
        return None
    entries = tuple(
        (label, entry.dtype, entry.cut, unit.wants.get(label))
        for label, entry in unit.entries.items()
    )
    return (rows, columns), entries, tuple(sorted(unit.beside.items()))


def _batch(units: tuple[Unit, ...], device: Device) -> Batch:
    """How equal units are folded: held or streamed, in how many runs, without what is refused."""
    unit = units[0]
    entry = _entry(unit)
    wants = _wants(unit)
    share = device.share
    refused, room = _refused(units, device)
    granted = [(label, measure) for label, measure in wants if (label, measure) not in refused]

    # each pass and each tiling reads the tensor once unless it is held
    repeats = any(measure.passes == "more" for _, measure in wants) or _cut_twice(unit, device)
    demanded = any(_at_once(unit, label, measure) for label, measure in granted)
    stored = _stored(unit, unit.shown(refused))
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
    tile = _tile(unit, device) * len(units)
    stored = _stored(unit, unit.shown()) * len(units)
    room, held = tile, 0  # bytes of states and tile, and of held tensors, without what is refused
    all_room, all_held = tile, 0  # the same with every measure
    need = 0
    refused = []
    for label, measure in _wants(unit):
        state = bytes_of(measure, _entry(unit).shape, device.name) * len(units)
        demand = 0
        if _at_once(unit, label, measure):
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


def _entry(unit: Unit) -> Entry:
    """The first entry of a unit."""
    return next(iter(unit.entries.values()))


def _wants(unit: Unit) -> list[Wanted]:
    """Every measure with its label, in a fixed order."""
    wants = []
    for label, measures in unit.wants.items():
        wants += [(label, measure) for measure in measures]
    return sorted(wants, key=repr)


def _cut_twice(unit: Unit, device: Device) -> bool:
    """Whether its measures need different tilings of the tensor: each tiling reads it once."""
    entry = _entry(unit)
    cuts = {measure.cut for _, measure in _wants(unit)}
    if len(cuts) < 2:
        return False
    tilings = {tiling(cut, whole(entry.shape), entry.cut, device.tile) for cut in cuts}
    return len(tilings) > 1


def _tile(unit: Unit, device: Device) -> int:
    """Bytes of the largest tile of every entry that is in use at once, at worst."""
    entry = _entry(unit)
    largest = tiles(whole(entry.shape), entry.cut, device.tile)[0]
    shown = unit.shown()
    buffers = {unit.buffer_of(label) for label in shown}
    sent = 0
    if device.is_gpu:
        sent = SLOTS * sum(_item(unit.entries[label]) for label in shown)
    return largest.size * (WORKING * len(buffers) + sent)


def _stored(unit: Unit, labels: Sequence[str]) -> int:
    """Bytes to hold these entries: the values of a single one; of several each stored byte once.

    What a measure sees whole is then made of them: mostly a view, but not of every type and layout.
    """
    entries = [unit.entries[label] for label in labels]
    if len(unit.shown()) == 1:
        return sum(_values(entry) for entry in entries)
    spans = joined(span for entry in entries for span in entry.needs(whole(entry.shape)))
    stored = sum(span.bytes[1] for span in spans)
    seen_whole: set[str] = set()
    for label, measure in _wants(unit):
        if measure.cut == "whole":
            seen_whole.update(unit.seen(label))
    made = sum(_values(unit.entries[label]) for label in labels if label in seen_whole)
    return stored + made


def _values(entry: Entry) -> int:
    """Bytes of all values as `make` returns them."""
    rows, columns = entry.shape
    return _item(entry) * rows * columns


def _item(entry: Entry) -> int:
    """Bytes of a value as `make` returns it: 4- and 6-bit types take a whole byte."""
    return -(-DTYPES[entry.dtype].bits // 8)


def _most(unit: Unit, device: Device) -> int:
    """Bytes of one unit, held, with the states of all its measures."""
    shape = _entry(unit).shape
    states = sum(bytes_of(measure, shape, device.name) for _, measure in _wants(unit))
    held = _stored(unit, unit.shown())
    return _tile(unit, device) + held + states


def _at_once(unit: Unit, label: str, measure: Measure) -> bool:
    """Whether a measure needs held matrices: it sees one that is stored along the other axis."""
    if measure.cut == "whole":
        return True
    entry = _entry(unit)
    if measure.cut == "long":
        axis = long_side(entry.shape)
    else:
        axis = entry.cut
    return any(unit.entries[other].cut != axis for other in unit.seen(label))
