"""ls: the tensors of a checkpoint, from its headers; no tensor is read."""

from __future__ import annotations

from ...lazy import Lazy
from ..analysis import Analysis
from ..uses import LISTING
from .options import InventoryOptions

LS = Analysis(
    "ls",
    InventoryOptions,
    Lazy("weightscope.analyses.inventory.rows"),
    summary="List the tensors of a checkpoint, from headers alone: roles, shapes, types and bytes.",
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
