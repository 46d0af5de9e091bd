"""The options for interpreting the names of tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..options import option

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class NameOptions:
    """A file of naming rules, and whether fused tensors are split."""

    name_map: str | Path | None = option(
        None,
        "Your own rules for names, before the built-in ones.",
        group="Open",
        metavar="FILE.toml",
        reads="file",
    )
    split: bool = option(True, "Keep fused tensors (qkv, gate_up, experts) whole.", group="Open")
