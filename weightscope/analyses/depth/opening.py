"""Opens models and refuses those without a layer index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import UsageError
from ...escape import escaped
from ..gathering import Setting, gathered
from ..piece import Model
from ..selection import Selection
from .coupling.opening import no_pair
from .options import COUPLING, DepthOptions
from .shared import measured

FEW = 3  # names in the error
MAP = (
    "describe the names with --name-map FILE.toml, see the page on families; "
    "`weightscope ls` shows what is recognised"
)


def models(sources: Sequence[Any], o: DepthOptions, setting: Setting) -> tuple[Model, ...]:
    """The sources with their weights."""
    return gathered(measured, sources, o, setting)


def refusal(model: Model, selection: Selection, o: DepthOptions) -> UsageError | None:
    """The error of a model of which no selected weight has a layer, or no two make a pair."""
    if not any(piece.place.layer is not None for piece in model.pieces):
        return _no_layers(model, selection != Selection())
    if o.mode == COUPLING:
        return no_pair(model)
    return None


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
