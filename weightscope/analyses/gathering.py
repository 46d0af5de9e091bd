"""From sources to models: opens checkpoints, places their tensors, selects pieces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..checkpoints import Checkpoint, Opening, Stored, open_checkpoint
from ..errors import CheckpointError, NotChosen, UsageError
from ..escape import escaped
from .name_options import NameOptions
from .piece import Model
from .selection import Selection, selected
from .several import Several

# From a checkpoint to its pieces: as stored, or as measured.
Placing = Callable[[Checkpoint, NameOptions], Model]
Fault: TypeAlias = "CheckpointError | UsageError"


@dataclass(frozen=True)
class Setting:
    """The shared options for opening models, interpreting names and selecting pieces.

    `positions` of the sources among those that the user named: some may have been refused.
    """

    opening: Opening
    names: NameOptions
    selection: Selection
    positions: tuple[int, ...] = ()


def readable(
    needed: Collection[int], sources: Sequence[Any], several: Several | None, opening: Opening
) -> tuple[Mapping[int, Any], tuple[Fault, ...]]:
    """(the sources that can be opened, by index, as checkpoints; the refusals of the others).

    `needed` are the indices of sources whose refusal ends the run at once. Raises the first refusal
    where no source besides these can be opened, with the others as its notes.
    """
    needs_all = several is None or several.fail_fast or len(needed) == len(sources)
    if needs_all:
        return dict(enumerate(sources)), ()
    checkpoints = {i: opened(sources[i], opening) for i in sorted(needed)}
    faults: list[Fault] = []
    for i, source in enumerate(sources):
        if i in checkpoints:
            continue
        try:
            checkpoints[i] = opened(source, opening)
        except (CheckpointError, NotChosen) as fault:
            # a new one: the traceback of the other holds what was read until then
            faults.append(type(fault)(fault.expected, fault.found, fault.advice))
    if faults and len(checkpoints) == len(needed):
        raise _first(faults)
    return {i: checkpoints[i] for i in sorted(checkpoints)}, tuple(faults)


def require_enough(
    required: Callable[[int], Collection[int]], count: int, faults: Sequence[Fault]
) -> None:
    """Raises the first refusal where the run cannot go on with the `count` sources that are left.

    `required` raises UsageError for a number of sources that is too small.
    """
    if not faults:
        return
    try:
        required(count)
    except UsageError:
        raise _first(faults) from None


def measurable(
    models: Sequence[Model],
    refusal: Callable[[Model], UsageError | None],
    several: Several | None,
    faults: Sequence[Fault],
) -> tuple[tuple[Model, ...], tuple[str, ...]]:
    """(the models that the analysis can measure, the refusals of all others as texts).

    `faults` are those of sources that were not opened. Raises the first refusal where no model is
    left, where there is one source, and with `fail_fast`.
    """
    kept = []
    every = list(faults)
    for model in models:
        fault = refusal(model)
        if fault is None:
            kept.append(model)
            continue
        if several is None or several.fail_fast:
            raise fault
        every.append(fault)
    if not kept:
        raise _first(every)
    return tuple(kept), tuple(escaped(str(fault)) for fault in every)


def _first(faults: Sequence[Fault]) -> Fault:
    """The first refusal with the others as its notes; of a file before one of the call."""
    in_order = sorted(faults, key=lambda fault: not isinstance(fault, CheckpointError))
    for fault in in_order[1:]:
        in_order[0].add_note(escaped(str(fault)))
    return in_order[0]


def gathered(
    placing: Placing, sources: Sequence[Any], options: Any, setting: Setting
) -> tuple[Model, ...]:
    """The sources as models, in their order."""
    # All are opened first: a source that is missing is reported before any is placed.
    checkpoints = [opened(source, setting.opening) for source in sources]
    models = [placing(checkpoint, setting.names) for checkpoint in checkpoints]
    return selected(models, setting.selection)


def opened(source: Any, opening: Opening) -> Checkpoint:
    """The checkpoint of a source; refuses a file without an element, as one without tensors.

    ZeRO-3 saves every weight with shape (0,) where it does not gather them first. A dict in memory
    is the caller's own, so that its empty tensors are rows with a note.
    """
    checkpoint = open_checkpoint(source, opening)
    tensors = checkpoint.tensors
    if not checkpoint.files or any(tensor.params or _is_implausible(tensor) for tensor in tensors):
        return checkpoint
    raise CheckpointError(
        f"{escaped(checkpoint.source)}: expected a checkpoint with weights",
        f"found {len(tensors)} tensors without elements, such as {escaped(tensors[0].name)}: "
        "every tensor is empty",
        "if ZeRO-3 saved it without gathering, run zero_to_fp32.py in the folder of its shards",
    )


def _is_implausible(tensor: Stored) -> bool:
    """Whether a zero hides an impossible size: such a tensor is listed with its note."""
    return any(note.code == "implausible-shape" for note in tensor.notes)
