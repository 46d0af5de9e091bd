"""fit: which law do the weights follow, how well, and are they i.i.d.?"""

from __future__ import annotations

from ...lazy import Lazy
from ..analysis import Analysis
from ..uses import MEASURING
from .options import FitOptions

FIT = Analysis(
    "fit",
    FitOptions,
    Lazy("weightscope.analyses.fit.rows"),
    summary="Which law do the weights follow, how well, and are they i.i.d.?",
    example="weightscope fit demo:gpt --role 'mlp.*' --sort=-beta",
    call=(
        'list(fit("demo:gpt", by="role", columns=("role", "kind", "std")).table.columns)',
        "['role', 'kind', 'std']",
    ),
    runs={
        "One row a tensor": {"balance": True, "draws": 2, "coding": True},
        "`--long`: one row a law": {"long": True},
    },
    uses=MEASURING,
)

__all__ = ["FIT", "FitOptions"]
