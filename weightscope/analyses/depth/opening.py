"""Opens models and refuses those without a layer index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import UsageError
from ...escape import escaped
from ..gathering import Setting, gathered
from ..piece import Model
from ..selection import Selection
from .options import DepthOptions
from .shared import measured

FEW = 3  # names in the error
MAP = (
    "describe the names with --name-map FILE.toml, see the page on families; "
    "`weightscope ls` shows what is recognised"
)


def models(sources: Sequence[Any], o: DepthOptions, setting: Setting) -> tuple[Model, ...]:
    """The sources with their weights; UsageError where no weight of one has a layer."""
    opened = gathered(measured, sources, o, setting)
    for model in opened:
        if not any(piece.place.layer is not None for piece in model.pieces):
            raise _no_layers(model, setting.selection != Selection())
    return opened


def _no_layers(model: Model, is_selected: bool) -> UsageError:
    """The error of a model without a layer: what its names look like, what to do."""
    advice = MAP
    if is_selected:
        advice = f"select tensors that have layers, or {MAP}"
    names = [escaped(piece.name) for piece in model.pieces]
    found = ", ".join(names[:FEW]) or "no weight"
    if len(names) > FEW:
        found += f" and {len(names) - FEW} more"
    return UsageError(
        f"{escaped(model.source)}: expected names with a layer index, such as layers.0.up.weight",
        f"found {found}",
        advice,
    )
