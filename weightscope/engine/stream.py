"""Folds a run of tiles: each span read once, each entry's box made once, shown to every measure; again where asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import chain
from typing import TYPE_CHECKING

from ..checkpoints import Entry, Span
from ..geometry import Axis, Box
from ..lazy import torch
from ..sketches.sketch import CUTS, Again, Measure, State, tiling
from ..sketches.tile import Tile
from .buffers import Buffers
from .device import Device
from .held import Held, read_lines
from .made import made
from .plan import Batch
from .reading import Check, ahead, load

if TYPE_CHECKING:
    from typing import Any

    from torch import Tensor

Wanted = tuple[str, Measure]  # entry label, measure
States = dict[Wanted, State]


def start(batch: Batch, device: Device) -> States:
    """Empty folds of everything the batch wants and has room for."""
    first = batch.units[0]
    wanted = [(label, m) for label, ms in first.wants.items() for m in sorted(ms, key=repr)]
    return {
        (label, m): m.start(len(batch.units), batch.shape, first.entries[label].dtype, device.name)
        for label, m in wanted
        if (label, m) not in batch.refused
    }


def fold(
    batch: Batch, run: Box, states: States, device: Device, buffers: Buffers, check: Check
) -> States:
    """Every tile of the run into every open fold, cut as its measure asks; measures cut alike share the reading.

    An empty run shows nothing: its sides may be longer than any tensor's.
    """
    buffers.keep(batch.labels)
    wanted = {m.cut for _, m in states} if run.size else ()
    cuts = {cut: tiling(cut, run, _axis(batch), device.tile) for cut in CUTS if cut in wanted}
    for axis, boxes in dict.fromkeys(cuts.values()):
        part = {w: s for w, s in states.items() if cuts[w[1].cut] == (axis, boxes)}
        for shown in _shown(batch, axis, boxes, part, buffers, check):
            part = {w: w[1].add(s, shown[w[0]]) for w, s in part.items()}
        states = states | part
    return states


def merged(runs: Iterable[States]) -> States:
    """The folds of runs that follow each other as one."""
    return reduce(lambda a, b: {w: w[1].merge(a[w], b[w]) for w in a}, runs)


def passes(batch: Batch, device: Device, buffers: Buffers, check: Check) -> dict[Wanted, Any]:
    """All passes of a batch in one worker: the stored tensors held where they fit, else read once a pass."""
    source = _held(batch, buffers, check) if batch.hold else batch
    done: dict[Wanted, Any] = {}
    states = start(batch, device)
    while states:
        states = _look(source, states, device, buffers, check)
        if all(m.passes == "one" for _, m in states):
            source = batch  # nothing looks again: what was held goes before the eigenvalues come
        if any(m.cut != "any" for _, m in states):
            buffers.clear()  # soon made again, and beside eigenvalues there is little room
        answers = {w: w[1].finish(s) for w, s in states.items()}
        done |= {w: a for w, a in answers.items() if not isinstance(a, Again)}
        states = {w: a.state for w, a in answers.items() if isinstance(a, Again)}
    return done


def _look(batch: Batch, states: States, device: Device, buffers: Buffers, check: Check) -> States:
    """One pass, run after run; there are several only where no measure looks again."""
    first, *more = batch.runs
    folds = [fold(batch, first, states, device, buffers, check)]
    later = (fold(batch, run, start(batch, device), device, buffers, check) for run in more)
    return merged(chain(folds, later))


def _axis(batch: Batch) -> Axis:
    return batch.first.cut


def _shown(
    batch: Batch, axis: Axis, boxes: tuple[Box, ...], part: States, buffers: Buffers, check: Check
) -> Iterator[Mapping[str, Tile]]:
    """The same box of every entry that an open fold sees, stacked over the units."""
    unit = batch.units[0]
    wanted = {label for label, _ in part}
    labels = sorted({seen for label in wanted for seen in unit.seen(label)})
    for i, box in enumerate(boxes):
        if i + 1 < len(boxes):
            ahead(_spans(batch, labels, boxes[i + 1]))
        spans = _spans(batch, labels, box)
        read = load(spans, buffers.stored, 0)
        check(sum(s.bytes[1] for s in spans))
        shown = {
            label: Tile(
                _stacked(batch, label, box, read),
                unit.entries[label].dtype,
                box,
                batch.shape,
                axis,
                buffers.of(label),
            )
            for label in labels
        }
        for label in wanted:
            shown[label].beside = {other: shown[other] for other in unit.beside.get(label, ())}
        yield shown
        for tile in shown.values():
            tile.beside = {}  # tiles that see each other would outlive what is held


def _spans(batch: Batch, labels: Sequence[str], box: Box) -> Sequence[Span]:
    """What is read for a box, each span once."""
    entries = [unit.entries[label] for unit in batch.units for label in labels]
    return list(dict.fromkeys(span for entry in entries for span in entry.needs(box)))


def _stacked(batch: Batch, label: str, box: Box, read: Mapping[Span, Tensor]) -> Tensor:
    """(b, rows, columns): a view for one unit, a copy for several."""
    entries = [unit.entries[label] for unit in batch.units]
    boxes = [entry.make(box, tuple(read[s] for s in entry.needs(box))) for entry in entries]
    if len(boxes) == 1:
        return boxes[0][None]
    return (
        torch.stack([m.mT for m in boxes]).mT if entries[0].cut else torch.stack(boxes)
    )  # column-major stays so


def _held(batch: Batch, buffers: Buffers, check: Check) -> Batch:
    """The batch with every entry that is shown on the device: the values of one, the stored bytes of several."""
    shown: list[dict[str, Entry]] = [
        {label: u.entries[label] for label in batch.labels} for u in batch.units
    ]
    held: list[dict[str, Entry]]
    if batch.alone:
        held = [
            {label: made(e, buffers.stored, check) for label, e in entries.items()}
            for entries in shown
        ]
    else:
        every = [entry for entries in shown for entry in entries.values()]
        there = read_lines(every, buffers.stored, check)
        held = [{label: Held(e, there) for label, e in entries.items()} for entries in shown]
    pairs = zip(batch.units, held, strict=True)
    units = (replace(unit, entries={**unit.entries, **entries}) for unit, entries in pairs)
    return replace(batch, units=tuple(units))
