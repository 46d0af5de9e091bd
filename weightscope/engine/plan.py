"""Which units go together, held or streamed: a pure function of shapes, types, measures and budget.

What is computed never depends on the budget: it decides how many tiles are in flight, whether a tensor that is looked
at more than once is held or read again, and which measures are refused because they need more than there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..dtypes import DTYPES
from ..geometry import Box, Shape, segments, tiles, whole
from ..sketches.sketch import Measure
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
    refused: dict[tuple[str, Measure], str]  # what does not fit, and why
    why: str

    @property
    def shape(self) -> Shape:
        """Of every entry of every unit."""
        return next(iter(self.units[0].entries.values())).shape


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
            for start in range(0, len(group), MOST):
                yield _batch(tuple(group[start : start + MOST]), device)


def _likeness(unit: Unit, device: Device) -> object:
    """What units of one stack share; None for a unit too large to be stacked."""
    shape = next(iter(unit.entries.values())).shape
    if shape[0] * shape[1] * 2 > device.stack:
        return None
    return shape, tuple((label, e.dtype, e.cut, unit.wants[label]) for label, e in unit.entries.items())


def _batch(units: tuple[Unit, ...], device: Device) -> Batch:
    first = units[0]
    entry = next(iter(first.entries.values()))
    wants = [(label, m) for label, ms in first.wants.items() for m in ms]
    again = any(m.passes == "more" or m.cut == "whole" for _, m in wants)
    stored = sum(-(-DTYPES[e.dtype].bits // 8) * e.shape[0] * e.shape[1] for e in first.entries.values()) * len(units)
    share = device.budget // device.workers
    tile = tiles(whole(entry.shape), entry.cut, device.tile)[0].size * len(units) * WORKING * len(first.entries)
    hold = again and 0 < stored <= share - tile
    refused = {w: reason for w in wants if (reason := _refusal(w[1], entry.shape, tile, stored, share))}
    runs = (whole(entry.shape),) if again else segments(entry.shape, entry.cut, device.segment)
    how = "held for its passes" if hold else f"streamed in {len(runs)} run{'s' * (len(runs) > 1)}"
    return Batch(units, hold, runs, refused, f"{len(units)} x {entry.shape[0]}x{entry.shape[1]} {entry.dtype}: {how}")


def _refusal(measure: Measure, shape: Shape, tile: int, stored: int, share: int) -> str:
    """Why a measure cannot be taken within the budget of one worker, "" where it can."""
    need = tile + measure.bytes(shape) + (stored if measure.cut == "whole" else 0)
    if need <= share or (measure.cut == "any" and share >= tile):
        return ""
    has = f"needs {need / 2**20:.0f} MiB a worker and has {share / 2**20:.0f} MiB"
    return f"{type(measure).__name__} {has}: raise --memory"
