"""The options of `ls`."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UsageError
from ...options import derived, option

BY = ("tensor", "role", "layer", "model", "dtype")


@dataclass(frozen=True)
class InventoryOptions:
    """What `ls` is asked; where `flat` is False, repeated layers are one row, layers.{0-31}."""

    by: str = option(
        "tensor", "One row per tensor (default), role, layer, model or dtype.", metavar="WHAT"
    )
    flat: bool = option(
        True, "Every layer in a row of its own, on a terminal too.", follows="undrawn"
    )
    metadata: bool = option(False, "The file's metadata instead of its tensors.")
    several: bool = derived(False)  # several models: rows say which
    wanted: frozenset[str] | None = derived(None)  # columns asked for; None = all

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise UsageError(
                f"ls groups by {', '.join(BY)}",
                f"found {self.by!r}",
                "choose one of them with --by",
            )
