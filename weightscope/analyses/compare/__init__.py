"""compare: what changed between two checkpoints."""

from __future__ import annotations

from ...lazy import Lazy
from ..analysis import Analysis
from ..uses import PAIRING
from .options import CompareOptions, check_plot

COMPARE = Analysis(
    "compare",
    CompareOptions,
    Lazy("weightscope.analyses.compare.rows"),
    summary=(
        "What changed between two checkpoints, A and B: status, size, direction and law of the "
        "difference of each tensor."
    ),
    example="weightscope compare demo:gpt-start demo:gpt --sort=-relative",
    call=(
        'compare("demo:gpt", "demo:gpt", by="model", columns=("kind", "same")).rows[0]["same"]',
        "29",
    ),
    runs={"One row a pair": {"spectrum": True}, "`--top`: one row an element": {"top": 1}},
    uses=PAIRING,
    check_plot=check_plot,
    takes_reports=True,
    baseline=False,
)

__all__ = ["COMPARE", "CompareOptions"]
