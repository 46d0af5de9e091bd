"""Folds a run of tiles: each span read once, each entry's box made once, shown to every measure; again where asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..geometry import Axis, Box, whole
from ..heavy import torch
from ..sketches.sketch import CUTS, Again, Measure, State, tiling
from ..sketches.tile import Scratch, Tile
from .device import Device
from .held import held
from .plan import Batch
from .reading import ahead, load

if TYPE_CHECKING:
    from typing import Any

    from torch import Tensor

Wanted = tuple[str, Measure]  # entry label, measure
States = dict[Wanted, State]
Check = Callable[[int], None]  # called once a tile with the bytes read; raises to stop


def start(batch: Batch, device: Device) -> States:
    """Empty folds of everything the batch wants and has room for."""
    first = batch.units[0]
    wanted = [(label, m) for label, ms in first.wants.items() for m in sorted(ms, key=repr)]
    return {
        (label, m): m.start(len(batch.units), batch.shape, first.entries[label].dtype, device.name)
        for label, m in wanted
        if (label, m) not in batch.refused
    }


def fold(batch: Batch, run: Box, states: States, device: Device, scratch: Scratch, check: Check) -> States:
    """Every tile of the run into every open fold, cut as its measure asks; measures cut alike share the reading.

    An empty run shows nothing: its sides may be longer than any tensor's.
    """
    wanted = {m.cut for _, m in states} if run.size else ()
    cuts = {cut: tiling(cut, run, _axis(batch), device.tile) for cut in CUTS if cut in wanted}
    for axis, boxes in dict.fromkeys(cuts.values()):
        part = {w: s for w, s in states.items() if cuts[w[1].cut] == (axis, boxes)}
        for shown in _shown(batch, axis, boxes, part, scratch, check):
            part = {w: w[1].add(s, shown[w[0]]) for w, s in part.items()}
        states = states | part
    return states


def passes(batch: Batch, device: Device, scratch: Scratch, check: Check) -> dict[Wanted, Any]:
    """All passes of a batch in one worker: the stored tensors held where they fit, else read once a pass."""
    source = _held(batch, scratch, check) if batch.hold else batch
    done: dict[Wanted, Any] = {}
    states = start(batch, device)
    while states:
        states = fold(source, whole(batch.shape), states, device, scratch, check)
        if all(m.passes == "one" for _, m in states):
            source = batch  # nothing looks again: what was held goes before the eigenvalues come
        if any(m.cut != "any" for _, m in states):
            scratch.held.clear()  # buffers are soon made again, and beside eigenvalues there is little room
        answers = {w: w[1].finish(s) for w, s in states.items()}
        done |= {w: a for w, a in answers.items() if not isinstance(a, Again)}
        states = {w: a.state for w, a in answers.items() if isinstance(a, Again)}
    return done


def _axis(batch: Batch) -> Axis:
    return next(iter(batch.units[0].entries.values())).cut


def _shown(
    batch: Batch, axis: Axis, boxes: tuple[Box, ...], part: States, scratch: Scratch, check: Check
) -> Iterator[Mapping[str, Tile]]:
    """The same box of every entry, stacked over the units."""
    labels = sorted({label for label, _ in part})
    for i, box in enumerate(boxes):
        if i + 1 < len(boxes):
            ahead(s for u in batch.units for label in labels for s in u.entries[label].needs(boxes[i + 1]))
        spans = dict.fromkeys(s for u in batch.units for label in labels for s in u.entries[label].needs(box))
        read = load(spans, scratch, 0)
        check(sum(s.bytes[1] for s in spans))
        yield {
            label: Tile(_stacked(batch, label, box, read), _dtype(batch, label), box, batch.shape, axis, scratch)
            for label in labels
        }


def _dtype(batch: Batch, label: str) -> str:
    return batch.units[0].entries[label].dtype


def _stacked(batch: Batch, label: str, box: Box, read: Mapping[Any, Tensor]) -> Tensor:
    """(b, rows, columns): a view for one unit, a copy for several."""
    made = [u.entries[label].make(box, tuple(read[s] for s in u.entries[label].needs(box))) for u in batch.units]
    if len(made) == 1:
        return made[0][None]
    return torch.stack([m.mT for m in made]).mT if _axis(batch) else torch.stack(made)      # column-major stays so


def _held(batch: Batch, scratch: Scratch, check: Check) -> Batch:
    """The batch with every entry's values already made, on the device."""
    units = []
    for unit in batch.units:
        entries = {label: held(entry, scratch, check) for label, entry in unit.entries.items()}
        units.append(replace(unit, entries=entries))
    return replace(batch, units=tuple(units))
