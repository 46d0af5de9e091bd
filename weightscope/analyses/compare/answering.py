"""The functions of `compare`: those of the mode that the options ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...columns import Column, Found
from ...engine.unit import Measurer
from ..analysis import Answering
from ..gathering import Setting
from ..piece import Model
from . import columns as of_pair
from . import opening, rows
from .lacking import applies, left_out
from .nearest import rows as nearest
from .options import MIX, NEAREST, PAIR, SEEDS, SERIES, SET, CompareOptions
from .seeds import rows as seeds
from .series import rows as series
from .sets import rows as sets

BY_MODE: Mapping[str, Answering] = {
    PAIR: Answering(of_pair.columns, of_pair.optional, rows.rows, opening.models),
    SERIES: series.ANSWERING,
    SET: sets.ANSWERING,
    MIX: sets.ANSWERING,
    NEAREST: nearest.ANSWERING,
    SEEDS: seeds.ANSWERING,
}


def _columns(o: CompareOptions) -> tuple[Column, ...]:
    return BY_MODE[o.mode].columns(o)


def _optional(o: CompareOptions) -> Mapping[str, str]:
    return BY_MODE[o.mode].optional(o)


def _rows(models: Sequence[Model], o: CompareOptions, measure: Measurer) -> Iterator[Found]:
    return BY_MODE[o.mode].rows(models, o, measure)


def _models(sources: Sequence[Any], o: CompareOptions, setting: Setting) -> tuple[Model, ...]:
    return BY_MODE[o.mode].models(sources, o, setting)


def _lacks(model: Model, o: CompareOptions) -> Mapping[int, str]:
    return BY_MODE[o.mode].lacks(model, o)


ANSWERING = Answering(
    _columns, _optional, _rows, _models, applies=applies, lack=left_out, lacks=_lacks
)
