"""Sources to models: opened, their tensors placed, and those pieces kept that the selection admits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..checkpoints import Checkpoint, Opening, open_checkpoint
from .piece import Model
from .reading import Reading
from .selection import Selection, selected

Placing = Callable[
    [Checkpoint, Reading], Model
]  # a checkpoint to its pieces: as stored, or as measured


@dataclass(frozen=True)
class Setting:
    """How models are opened, how their names are read, and which of their pieces count."""

    opening: Opening
    reading: Reading
    selection: Selection


def gathered(
    placing: Placing, sources: Sequence[Any], options: Any, setting: Setting
) -> tuple[Model, ...]:
    """The sources as models, in their order."""
    opened = [open_checkpoint(source, setting.opening) for source in sources]
    return selected(
        [placing(checkpoint, setting.reading) for checkpoint in opened], setting.selection
    )
