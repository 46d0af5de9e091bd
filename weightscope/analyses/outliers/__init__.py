"""outliers: extreme, dead, duplicate, untrained and non-finite weights, and quantisation errors."""

from __future__ import annotations

from ...lazy import Lazy
from ..analysis import Analysis
from ..uses import MEASURING
from .options import OutliersOptions, check_plot, listed

OUTLIERS = Analysis(
    "outliers",
    OutliersOptions,
    Lazy("weightscope.analyses.outliers.rows"),
    summary=(
        "Which weights are anomalous? Extreme, dead, duplicate, untrained and non-finite weights, "
        "and their quantisation cost."
    ),
    example="weightscope outliers demo:gpt --quant int4_g128 --fail-if 'nan > 0'",
    call=('outliers("demo:gpt", role="head", quant="int8").rows[0]["nan"]', "0"),
    runs={
        "One row a tensor": {"quant": ("all",), "base": "BASE"},
        "`--top`: one row a weight": {"top": 1},
        "`--top-rows`: one row a row": {"top_rows": 1},
    },
    uses=MEASURING,
    listed=listed,
    check_plot=check_plot,
)

__all__ = ["OUTLIERS", "OutliersOptions"]
