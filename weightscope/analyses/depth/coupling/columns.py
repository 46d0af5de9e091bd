"""The columns of `depth --coupling`."""

from __future__ import annotations

from collections.abc import Mapping

from ....columns import INDEX, Column
from ...rows import CODES, NOTE, source_columns
from ..options import DepthOptions

PAIR = (
    Column("stack", "str", "tower of a model that has several"),
    Column("a", "str", "one vector: role[slot] with .rows, .cols, .gain or .bias", shown=True),
    Column("b", "str", "the other vector, of the same blocks", shown=True),
    Column(
        "index_set",
        "str",
        "what the elements belong to: residual, mlp_hidden, heads, kv_heads",
        shown=True,
    ),
    Column("of", "str", "vectors of matrices: means, or log scales of balancing", shown=True),
)
MEASURED = (
    Column("layers", "int", "layers in which both vectors vary"),
    Column("max_rho", "float", "largest |Pearson correlation| over the layers", shown=True),
    Column("at_layer", "int", "the layer of max_rho", INDEX),
    Column(
        "max_rho_null",
        "float",
        "expected max_rho of independent vectors: E max of L |N(0,1)| / sqrt(n)",
    ),
    Column(
        "max_rho_null_95",
        "float",
        "95% point of max_rho of one pair of independent vectors",
        shown=True,
    ),
    Column(
        "max_rho_family_95",
        "float",
        "the same for the largest of all pairs of the model in the table",
        shown=True,
    ),
    Column("median_rho", "float", "signed median of the correlation over the layers", shown=True),
    Column("median_spearman", "float", "signed median of the correlation of ranks"),
)


def columns(o: DepthOptions) -> tuple[Column, ...]:
    """Both vectors, their correlation beside its null; note."""
    return (*source_columns(o.several), *PAIR, *MEASURED, NOTE, CODES)


def optional(o: DepthOptions) -> Mapping[str, str]:
    """Columns that another option would add."""
    return {"source": "several MODELs"}
