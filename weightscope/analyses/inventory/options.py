"""The options of `ls`."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UsageError
from ...options import derived, option

BY = ("tensor", "role", "layer", "model", "dtype")


@dataclass(frozen=True)
class InventoryOptions:
    """Grouping and form of the list; without `flat`, repeated layers are one row, layers.{0-31}."""

    by: str = option(
        "tensor", "One row per tensor (default), role, layer, model or dtype.", metavar="WHAT"
    )
    flat: bool = option(True, "One row per layer, on a terminal too.", follows="elsewhere")
    metadata: bool = option(False, "List the metadata of the file instead of its tensors.")
    several: bool = derived(False)  # several models: rows have a column `source`
    wanted: frozenset[str] | None = derived(None)  # requested columns; None = all

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise UsageError(
                f"ls groups by {', '.join(BY)}",
                f"found {self.by!r}",
                "choose one of them with --by",
            )
