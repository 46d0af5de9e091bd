"""The columns of `depth`, and the option that adds each column that a run lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...columns import INDEX, Column
from ...statistics.schemes import CRITICAL_RELU, CRITICAL_TANH, TVR
from ...statistics.series.direction import FITTED_CHANGE, TREND, VALUE_SE
from ...statistics.series.rank_correlation import COLUMNS as SPEARMAN
from ...statistics.series.residuals import OUTLIER_LAYERS
from ...statistics.series.slopes import COLUMNS as THEIL_SEN
from ...statistics.series.slopes import LOGLOG
from ..rows import CODES, NOTE, source_columns
from .gain import GAIN
from .initialisation import COLUMNS as INITIALISATION
from .options import DepthOptions
from .similarity import SIMILARITY, SIMILARITY_NULL, SIMILARITY_SCORE

SPARKLINE = Column(
    "series", "str", "the values over the layers, from 0 up, in block characters", shown=True
)
KEYS = (
    Column("stack", "str", "tower of a model that has several", shown=True),
    Column("role", "str", "what the tensors do", shown=True),
    Column("slot", "str", "distinguishes equal roles of a layer: conv 1 and 2", shown=True),
    Column("part", "str", "part of a fused tensor without a role of its own: z"),
    Column("kind", "str", "matrix, conv, embedding, norm, bias or router"),
)
STATISTIC = Column(
    "statistic",
    "str",
    "what is followed: gain, or a column of fit, spectrum or outliers",
    shown=True,
)
CRITICAL = (CRITICAL_RELU, CRITICAL_TANH)
LAYERS = Column("layers", "int", "layers with a value")
ENDS = (
    Column("first", "float", "value in the first layer", shown=True),
    Column("last", "float", "value in the last layer", shown=True),
    Column("ratio", "float", "last / first; null where first is 0"),
)
LAYER = Column("layer", "int", "layer index", INDEX, shown=True)
VALUES = (
    Column("value", "float", "the statistic in the layer, over experts their median", shown=True),
    Column("value_low", "float", "least over the experts or heads of the layer; else null"),
    Column(
        "value_high",
        "float",
        "greatest over the experts or heads of the layer; else null",
    ),
    Column(
        "outlier",
        "bool",
        "whether the layer is one of outlier_layers; null where these are",
        shown=True,
    ),
)


def columns(o: DepthOptions) -> tuple[Column, ...]:
    """Identity, then the line and the trend, or the values of each layer; note."""
    source = source_columns(o.several)
    drawn = (SPARKLINE,) if o.sparkline else ()
    if o.per_layer:
        critical = CRITICAL if GAIN.name in o.stats else ()
        return (*source, *KEYS, LAYER, STATISTIC, *drawn, *VALUES, *critical, NOTE, CODES)
    initialisation = [
        replace(column, shown=o.law is not None and column.name != TVR.name)
        for column in INITIALISATION
    ]
    measured = (
        TREND,
        LAYERS,
        *THEIL_SEN,
        FITTED_CHANGE,
        *SPEARMAN,
        *ENDS,
        LOGLOG,
        VALUE_SE,
        OUTLIER_LAYERS,
        *initialisation,
        SIMILARITY,
        SIMILARITY_NULL,
        SIMILARITY_SCORE,
    )
    return (*source, *KEYS, STATISTIC, *drawn, *measured, NOTE, CODES)


def optional(o: DepthOptions) -> Mapping[str, str]:
    """Columns that another option would add."""
    # --law is refused beside --per-layer, and adds no column
    other = replace(o, per_layer=not o.per_layer, several=True, law=None)
    need = "a run without --per-layer" if o.per_layer else "--per-layer"
    option = {column.name: need for column in columns(other)}
    for column in CRITICAL:
        option[column.name] = "--per-layer with --stat gain"
    option["source"] = "several MODELs"
    return option
