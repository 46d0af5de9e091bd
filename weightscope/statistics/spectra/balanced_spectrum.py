"""Columns of `--balance`: bulk and depth of the matrix divided by its row and column scales.

Uneven scales alone cause spikes and depth; what remains after balancing has other causes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from ...columns import Column
from ...notes import Note
from ...sketches import Balanced, Decompose
from ..lines.balancing import NONE_EXISTS
from ..statistic import Evidence, Statistic
from .bulk import NO_BULK, bulk_of
from .effective_depth import depth_of
from .spectral import spectral
from .spectrum import THIN, Spectrum

COLUMNS = (
    Column(
        "spikes_balanced", "int", "spikes of the balanced matrix", shown=True, option="--balance"
    ),
    Column(
        "mp_sigma_balanced",
        "float",
        "mp_sigma of the balanced matrix",
        "weight",
        option="--balance",
    ),
    Column(
        "spike_energy_balanced", "float", "spike_energy of the balanced matrix", option="--balance"
    ),
    Column(
        "effective_depth_balanced",
        "float",
        "effective_depth of the balanced matrix",
        shown=True,
        option="--balance",
    ),
)
NO_BALANCED_BULK = Note(NO_BULK.code, f"balanced matrix: {NO_BULK.text}")
SINGLE = 2.0**-23  # balancing computes in float32, whatever was stored


def _of_balanced(
    balanced: Balanced, spectrum: Spectrum, evidence: Evidence
) -> Mapping[str, object]:
    decomposed = evidence.sketches[balanced].of
    nulls: dict[str, object] = dict.fromkeys(c.name for c in COLUMNS)
    if spectrum.low_rank:
        return nulls | {"notes": (THIN,)}
    if not decomposed:
        return nulls | {"notes": (NONE_EXISTS,)}
    # Balancing keeps the zero lines zero, so the sides are those of the stored spectrum.
    s = replace(
        spectrum,
        sigma=decomposed[0].values[: len(spectrum.sigma)],
        floor=decomposed[0].floor,
        eps=max(spectrum.eps, SINGLE),
    )
    nearest, notes = depth_of(s, "effective_depth_balanced")
    columns = nulls | {"effective_depth_balanced": nearest and nearest[0]}
    bulk = bulk_of(s)
    if bulk is None:
        return columns | {"notes": (NO_BALANCED_BULK, *notes)}
    return columns | {
        "spikes_balanced": bulk.spikes,
        "mp_sigma_balanced": bulk.sigma,
        "spike_energy_balanced": bulk.spike_energy,
        "notes": notes,
    }


def balanced_spectrum(measure: Decompose) -> Statistic:
    """Bulk and depth of the balanced matrix, by the same method."""
    balanced = Balanced((measure,))
    return spectral(COLUMNS, measure, partial(_of_balanced, balanced), frozenset({balanced}))
