"""From sources to models: opens checkpoints, places their tensors, selects pieces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..checkpoints import Checkpoint, Opening, Stored, open_checkpoint
from ..errors import CheckpointError
from ..escape import escaped
from .name_options import NameOptions
from .piece import Model
from .selection import Selection, selected
from .several import Several

# From a checkpoint to its pieces: as stored, or as measured.
Placing = Callable[[Checkpoint, NameOptions], Model]


@dataclass(frozen=True)
class Setting:
    """The shared options for opening models, interpreting names and selecting pieces."""

    opening: Opening
    names: NameOptions
    selection: Selection


def readable(
    least: int, sources: Sequence[Any], records: Mapping[type, Any]
) -> tuple[Sequence[Any], tuple[str, ...]]:
    """(the sources that can be opened, as checkpoints; the refusals of the others).

    A command that needs more than one source needs all. Raises the first refusal where there is no
    other source, with the others as its notes.
    """
    several = records.get(Several)
    needs_all = several is None or several.fail_fast or least > 1
    if needs_all or len(sources) == 1:
        return sources, ()
    checkpoints, faults = _opened(sources, records[Opening])
    texts = tuple(escaped(str(fault)) for fault in faults)
    if faults and not checkpoints:
        first = faults[0]
        for text in texts[1:]:
            first.add_note(text)
        raise first
    return checkpoints, texts


def _opened(
    sources: Sequence[Any], opening: Opening
) -> tuple[list[Checkpoint], list[CheckpointError]]:
    """(the checkpoints of the sources that can be opened, the errors of the others), in order."""
    checkpoints = []
    faults = []
    for source in sources:
        try:
            checkpoints.append(opened(source, opening))
        except CheckpointError as fault:
            # a new one: the traceback of the other holds what was read until then
            faults.append(CheckpointError(fault.expected, fault.found, fault.advice))
    return checkpoints, faults


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
