"""spectrum: singular values: ranks, power-law tail, noise bulk and spikes, effective depth."""

from __future__ import annotations

from ...lazy import Lazy
from ..analysis import Analysis
from ..uses import MEASURING
from .options import SpectrumOptions, listed

SPECTRUM = Analysis(
    "spectrum",
    SpectrumOptions,
    Lazy("weightscope.analyses.spectrum.rows"),
    summary="Singular values: ranks, power-law tail, noise bulk and spikes, effective depth.",
    example="weightscope spectrum demo:gpt --where 'spikes > 0' --sort=-alpha",
    call=(
        'spectrum("demo:gpt-start", columns="spikes", include="*.0.*.o_proj.*").rows[0]["spikes"]',
        "0",
    ),
    runs={"One row a tensor": {"balance": True, "alpha_ci": True, "null": "shuffle", "draws": 2}},
    uses=MEASURING,
    listed=listed,
)

__all__ = ["SPECTRUM", "SpectrumOptions"]
