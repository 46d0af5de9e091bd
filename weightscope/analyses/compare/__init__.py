"""compare: what changed between two checkpoints."""

from __future__ import annotations

from ...lazy import Lazy
from ..analysis import Analysis
from ..uses import MEASURING
from .options import CompareOptions, check_plot, is_series, needed

COMPARE = Analysis(
    "compare",
    CompareOptions,
    Lazy("weightscope.analyses.compare.answering"),
    summary=(
        "What changed between two checkpoints, A and B: status, size, direction and law of the "
        "difference of each tensor. Of more than two: each step of a series, or a set of tunings."
    ),
    example="weightscope compare demo:gpt-start demo:gpt --sort=-relative",
    call=(
        'compare("demo:gpt", "demo:gpt", by="model", columns=("kind", "same")).rows[0]["same"]',
        "29",
    ),
    runs={
        "One row a pair": {"spectrum": True},
        "`--top`: one row an element": {"top": 1},
        "`--set`: one row a tensor and pair of tunings": {"set": True},
        "`--set --mix`: one row a tensor and source": {"set": True, "mix": True},
        "`--nearest`: one row a candidate": {"nearest": True},
    },
    uses=MEASURING,
    needed=needed,
    check_plot=check_plot,
    is_series=is_series,
    takes_reports=True,
    baseline=False,
    remarks=(
        "More than two MODELs are a series: each step is compared with the first and with the "
        "previous one. --set, --nearest and --bootstrap take them as something else: "
        "`weightscope compare base/ tuned-1/ tuned-2/ --set --by model`.",
    ),
)

__all__ = ["COMPARE", "CompareOptions"]
