"""The columns of `depth --layer-map`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ....columns import INDEX, Column
from ...rows import CODES, NOTE, source_columns
from ..columns import KEYS
from ..columns import columns as series_columns
from ..options import DepthOptions

LAYER_A = Column("layer_a", "int", "layer index of the earlier layer", INDEX, shown=True)
LAYER_B = Column("layer_b", "int", "layer index of the later layer", INDEX, shown=True)
COSINE = Column(
    "cosine",
    "float",
    "signed cosine of the matrices of both layers, on a sample of rows; over experts their median",
    shown=True,
)
COSINE_NULL = Column(
    "cosine_null",
    "float",
    "1/sqrt(N): standard deviation of the cosine of two independent samples of N elements",
    shown=True,
)
EQUAL = Column("equal", "bool", "whether all elements of both matrices are equal", shown=True)


def columns(o: DepthOptions) -> tuple[Column, ...]:
    """Identity, both layers, the cosine and its null; note."""
    measured = (LAYER_A, LAYER_B, COSINE, COSINE_NULL, EQUAL)
    return (*source_columns(o.several), *KEYS, *measured, NOTE, CODES)


def optional(o: DepthOptions) -> Mapping[str, str]:
    """Columns that another option would add."""
    series = replace(o, layer_map=False, several=True)
    per_layer = replace(series, per_layer=True)
    option = {column.name: "--per-layer" for column in series_columns(per_layer)}
    option |= {column.name: "a run without --layer-map" for column in series_columns(series)}
    option["source"] = "several MODELs"
    return option
