"""The functions of `depth`: series of statistics, coupling between layers, or a map of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...columns import Column, Found
from ...engine.unit import Measurer
from ..analysis import Answering
from ..piece import Model, Piece
from . import columns, layer_map, rows
from .coupling import columns as coupling_columns
from .coupling import rows as coupling_rows
from .coupling.opening import in_no_pair
from .opening import models, refusal
from .options import COUPLING, LAYER_MAP, SERIES, DepthOptions


@dataclass(frozen=True)
class Mode:
    """One form of the rows: its columns, those that another option adds, and the rows."""

    columns: Callable[[DepthOptions], tuple[Column, ...]]
    optional: Callable[[DepthOptions], Mapping[str, str]]
    rows: Callable[[Sequence[Model], DepthOptions, Measurer], Iterator[Found]]


BY_MODE: Mapping[str, Mode] = {
    SERIES: Mode(columns.columns, columns.optional, rows.rows),
    COUPLING: Mode(coupling_columns.columns, coupling_columns.optional, coupling_rows.rows),
    LAYER_MAP: Mode(layer_map.columns, layer_map.optional, layer_map.rows),
}


def _columns(o: DepthOptions) -> tuple[Column, ...]:
    return BY_MODE[o.mode].columns(o)


def _optional(o: DepthOptions) -> Mapping[str, str]:
    return BY_MODE[o.mode].optional(o)


def _rows(models: Sequence[Model], o: Any, measure: Measurer) -> Iterator[Found]:
    return BY_MODE[o.mode].rows(models, o, measure)


def _applies(piece: Piece) -> bool:
    return piece.place.layer is not None


def _left_out(piece: Piece) -> str:
    """The reason why a tensor is in no series."""
    return "" if _applies(piece) else "no-layer"


def _lacks(model: Model, o: Any) -> Mapping[int, str]:
    """The reasons of `--coupling`."""
    if o.mode == COUPLING:
        return in_no_pair(model)
    return {}


ANSWERING = Answering(
    _columns,
    _optional,
    _rows,
    models,
    applies=_applies,
    lack=_left_out,
    lacks=_lacks,
    refusal=refusal,
)
