"""From sources to models: opens checkpoints, places their tensors, selects pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..checkpoints import Checkpoint, Opening, open_checkpoint
from .name_options import NameOptions
from .piece import Model
from .selection import Selection, selected

# From a checkpoint to its pieces: as stored, or as measured.
Placing = Callable[[Checkpoint, NameOptions], Model]


@dataclass(frozen=True)
class Setting:
    """The shared options for opening models, interpreting names and selecting pieces."""

    opening: Opening
    names: NameOptions
    selection: Selection


def gathered(
    placing: Placing, sources: Sequence[Any], options: Any, setting: Setting
) -> tuple[Model, ...]:
    """The sources as models, in their order."""
    # All are opened first: a source that is missing is reported before any is placed.
    checkpoints = [open_checkpoint(source, setting.opening) for source in sources]
    models = [placing(checkpoint, setting.names) for checkpoint in checkpoints]
    return selected(models, setting.selection)
