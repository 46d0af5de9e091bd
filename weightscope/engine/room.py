"""Bytes that tiles and held tensors of a unit take, from shapes and types alone."""

from __future__ import annotations

from collections.abc import Sequence

from ..checkpoints import Entry, joined
from ..dtypes import DTYPES
from ..geometry import Box, long_side, tiles, whole
from ..sketches.sketch import Cut, Measure, tiling
from .device import Device
from .spans import fixed
from .unit import Unit

# bytes an element of a tile takes at worst: stored, patterns, float32, float64 of an unsafe tile
WORKING = 64
SLOTS = 4  # copies of the stored bytes of a tile: two in pinned memory, two on the GPU
FIXED_COPIES = 2  # of what all tiles need: one in pinned memory, one on the GPU

Wanted = tuple[str, Measure]  # label of an entry, measure


def first_entry(unit: Unit) -> Entry:
    """The first entry of a unit."""
    return next(iter(unit.entries.values()))


def needs_held(unit: Unit, label: str, measure: Measure) -> bool:
    """Whether a measure needs held matrices: it sees one that is stored along the other axis."""
    if measure.cut == "whole":
        return True
    if measure.cut == "long":
        axis = long_side(first_entry(unit).shape)
    else:
        axis = next(iter(unit.cuts.values()))
    return any(unit.cuts[other] != axis for other in unit.seen(label))


def tile_bytes(unit: Unit, device: Device) -> int:
    """Bytes of the largest tile of every entry that is in use at once, at worst.

    With what all tiles need, in memory beside them: a factor of a product.
    """
    key = (device.tile, device.is_gpu)
    if key not in unit.sizes:
        unit.sizes[key] = _tile_bytes(unit, device)
    return unit.sizes[key]


def _tile_bytes(unit: Unit, device: Device) -> int:
    entry = first_entry(unit)
    largest = tiles(whole(entry.shape), entry.cut, device.tile)[0]
    shown = unit.shown()
    buffers = {unit.buffer_of(label) for label in shown}
    sent, copies = 0, 1
    if device.is_gpu:
        sent = SLOTS * sum(_item(unit.entries[label]) for label in shown)
        copies = FIXED_COPIES
    return largest.size * (WORKING * len(buffers) + sent) + copies * _fixed(unit, device)


def _fixed(unit: Unit, device: Device) -> int:
    """Stored bytes that all tiles need, in the tiling that needs most: read or held as values.

    Measures that need several entries held see no such bytes: those are held as they are stored.
    """
    entry = first_entry(unit)
    labels: dict[Cut, set[str]] = {"any": set()}
    if len(unit.shown()) == 1:
        labels["any"].update(unit.shown())
    for label, measure in unit.wanted:
        if not needs_held(unit, label, measure):
            labels.setdefault(measure.cut, set()).update(unit.seen(label))
    together: dict[tuple[Box, ...], set[str]] = {}  # labels whose tiles are the same
    for cut, seen in labels.items():
        _, boxes = tiling(cut, whole(entry.shape), entry.cut, device.tile)
        together.setdefault(boxes, set()).update(seen)
    most = 0
    for boxes, seen in together.items():
        spans = fixed([unit.entries[label] for label in seen], boxes)
        most = max(most, sum(span.bytes[1] for span in spans))
    return most


def stored_bytes(unit: Unit, labels: Sequence[str]) -> int:
    """Bytes to hold these entries: the values of a single one; of several each stored byte once.

    What a measure sees whole is then made of them: mostly a view, but not of every type and layout.
    """
    key = tuple(labels)
    if key not in unit.sizes:
        unit.sizes[key] = _stored_bytes(unit, labels)
    return unit.sizes[key]


def _stored_bytes(unit: Unit, labels: Sequence[str]) -> int:
    entries = [unit.entries[label] for label in labels]
    if len(unit.shown()) == 1:
        return sum(_values(entry) for entry in entries)
    spans = joined(span for entry in entries for span in entry.needs(whole(entry.shape)))
    stored = sum(span.bytes[1] for span in spans)
    seen_whole: set[str] = set()
    for label, measure in unit.wanted:
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
