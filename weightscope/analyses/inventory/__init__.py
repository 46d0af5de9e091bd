"""ls: what is in a checkpoint, from its headers alone; no tensor is read."""

from __future__ import annotations

from ...lazy import Lazy
from ..analysis import Analysis
from ..uses import LISTING
from .options import InventoryOptions

LS = Analysis(
    "ls",
    InventoryOptions,
    Lazy("weightscope.analyses.inventory.rows"),
    summary="What is in a checkpoint: names, roles, shapes, types and bytes, from its headers alone.",
    example="weightscope ls demo:gpt --by dtype -f markdown",
    call=('ls("demo:gpt", by="dtype").rows[0]["dtype"]', "'BF16'"),
    runs={
        "One row a tensor": {},
        "`--by dtype`": {"by": "dtype"},
        "`--metadata`": {"metadata": True},
    },
    uses=LISTING,
)

__all__ = ["LS", "InventoryOptions"]
