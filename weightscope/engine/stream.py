"""Folds a run of tiles: each span read once, each box made once and shown to every measure.

Measures that return Again get another pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import reduce
from itertools import chain
from typing import TYPE_CHECKING

from ..geometry import Axis, Box
from ..sketches.sketch import CUTS, Again, State, tiling
from .buffers import Buffers
from .device import Device
from .held import Held, StoredLines, read_lines
from .loading import Check, ahead, load, load_fixed
from .made import made
from .plan import Batch
from .room import Wanted
from .spans import fixed, needed
from .tiles import Tiles

if TYPE_CHECKING:
    from typing import Any


States = dict[Wanted, State]


def start(batch: Batch, device: Device) -> States:
    """Empty folds of every measure that the batch wants and has room for."""
    first = batch.units[0]
    states = {}
    for label, measures in first.wants.items():
        dtype = first.entries[label].dtype
        for measure in sorted(measures, key=repr):
            if (label, measure) not in batch.refused:
                state = measure.start(len(batch.units), batch.shape, dtype, device.name)
                states[label, measure] = state
    return states


def fold(
    batch: Batch, run: Box, states: States, device: Device, buffers: Buffers, check: Check
) -> States:
    """Adds every tile of the run to every open fold, cut as its measure requires.

    Tiles that several measures share are read once. An empty run has no tile: its sides may be
    longer than any tensor's.
    """
    unit = batch.units[0]
    buffers.keep({unit.buffer_of(label) for label in batch.labels})
    wanted = set()
    if run.size:
        wanted = {measure.cut for _, measure in states}
    tilings = {cut: tiling(cut, run, batch.first.cut, device.tile) for cut in CUTS if cut in wanted}
    for axis, boxes in dict.fromkeys(tilings.values()):
        part = {
            (label, measure): state
            for (label, measure), state in states.items()
            if tilings[measure.cut] == (axis, boxes)
        }
        for shown in _shown(batch, axis, boxes, part, buffers, check):
            # states are in the order of their labels
            part = {
                (label, measure): measure.add(state, shown.of(label))
                for (label, measure), state in part.items()
            }
        states = states | part
    return states


def merged(runs: Iterable[States]) -> States:
    """The folds of consecutive runs as one."""
    return reduce(_merged_pair, runs)


def _merged_pair(left: States, right: States) -> States:
    states = {}
    for label, measure in left:
        key = (label, measure)
        states[key] = measure.merge(left[key], right[key])
    return states


def passes(batch: Batch, device: Device, buffers: Buffers, check: Check) -> dict[Wanted, Any]:
    """All passes of a batch in one worker: tensors held where they fit, else read once a pass."""
    source = batch
    if batch.hold:
        source = _held(batch, device, buffers, check)
    sketches: dict[Wanted, Any] = {}
    states = start(batch, device)
    while states:
        states = _pass(source, states, device, buffers, check)
        if all(measure.passes == "one" for _, measure in states):
            source = batch  # the last pass: held tensors are freed before the eigenvalues come
        if any(measure.cut != "any" for _, measure in states):
            buffers.clear()  # soon allocated again, and eigenvalues need the memory
        # every fold finishes before any state is dropped
        results = {
            (label, measure): measure.finish(state) for (label, measure), state in states.items()
        }
        states = {}
        for key, result in results.items():
            if isinstance(result, Again):
                states[key] = result.state
            else:
                sketches[key] = result
    return sketches


def _pass(batch: Batch, states: States, device: Device, buffers: Buffers, check: Check) -> States:
    """One pass, run after run; there are several runs only where no measure needs a second pass."""
    first, *more = batch.runs
    folds = [fold(batch, first, states, device, buffers, check)]
    later = (fold(batch, run, start(batch, device), device, buffers, check) for run in more)
    return merged(chain(folds, later))


def _shown(
    batch: Batch, axis: Axis, boxes: tuple[Box, ...], part: States, buffers: Buffers, check: Check
) -> Iterator[Tiles]:
    """Box by box the tiles that open folds see, stacked over the units."""
    unit = batch.units[0]
    wanted = {label for label, _ in part}
    labels = sorted({other for label in wanted for other in unit.seen(label)})
    entries = [unit.entries[label] for unit in batch.units for label in labels]
    shared = load_fixed(fixed(entries, boxes), buffers)
    check(sum(span.bytes[1] for span in shared))
    for i, box in enumerate(boxes):
        if i + 1 < len(boxes):
            following = needed(entries, boxes[i + 1])
            ahead(span for span in following if span not in shared)
        spans = [span for span in needed(entries, box) if span not in shared]
        loaded = shared | load(spans, buffers, buffers.slot(i))
        check(sum(span.bytes[1] for span in spans))
        tiles = Tiles(batch, axis, box, loaded, buffers)
        yield tiles
        tiles.close()


def _held(batch: Batch, device: Device, buffers: Buffers, check: Check) -> Batch:
    """The batch with its shown entries on the device.

    The values of a single entry, the stored bytes of several.
    """
    lines: StoredLines | None = None
    if not batch.alone:
        shown = [unit.entries[label] for unit in batch.units for label in batch.labels]
        lines = read_lines(shown, buffers, check)
    units = []
    for unit in batch.units:
        entries = dict(unit.entries)
        for label in batch.labels:
            if lines is None:
                entries[label] = made(entries[label], buffers, check, device.tile)
            else:
                entries[label] = Held(entries[label], lines)
        units.append(replace(unit, entries=entries))
    return replace(batch, units=tuple(units))
