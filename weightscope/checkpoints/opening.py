"""What can be opened, and the options of opening."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..options import derived, option

if TYPE_CHECKING:
    from torch import Tensor

    from .checkpoint import Checkpoint

Source: TypeAlias = "str | os.PathLike[str] | Mapping[str, Tensor] | Checkpoint"


@dataclass(frozen=True)
class Opening:
    """How a source is opened."""

    root: str | None = option(
        None, "Which dict of a nested training file is the model.", group="Open", metavar="KEY"
    )
    strict: bool = option(
        False, "A tensor that cannot be measured is an error (exit 4).", group="Run"
    )
    salvage: bool = option(
        False,
        "Measure the whole tensors and shards of a damaged model; still exits 3.",
        group="Open",
    )
    follow_symlinks: bool = option(
        False, "Follow links of shards and configs that leave the folder.", group="Open"
    )
    # ls needs no model: of a file with several equal dicts, or with training state, it lists all
    listing: bool = derived(False)
