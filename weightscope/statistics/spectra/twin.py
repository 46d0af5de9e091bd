"""Columns of `--balance`: bulk and depth of the core without row and column scales, which alone make both."""

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
    Column("spikes_balanced", "int", "spikes of the balanced core", shown=True, option="--balance"),
    Column(
        "mp_sigma_balanced", "float", "mp_sigma of the balanced core", "weight", option="--balance"
    ),
    Column(
        "spike_energy_balanced", "float", "spike_energy of the balanced core", option="--balance"
    ),
    Column(
        "effective_depth_balanced",
        "float",
        "effective_depth of the balanced core",
        shown=True,
        option="--balance",
    ),
)
NO_CORE_BULK = Note(NO_BULK.code, f"balanced core: {NO_BULK.text}")
SINGLE = 2.0**-23  # the core is made in float32, whatever was stored


def _of(balanced: Balanced, spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    core = evidence.sketches[balanced]
    if spectrum.low_rank or not core.of:
        return {c.name: None for c in COLUMNS} | {
            "notes": (THIN if spectrum.low_rank else NONE_EXISTS,)
        }
    values, floor = core.of[0].values[: len(spectrum.sigma)], core.of[0].floor
    s = replace(spectrum, sigma=values, floor=floor, eps=max(spectrum.eps, SINGLE))
    found, (deep, shallow) = bulk_of(s), depth_of(s, "effective_depth_balanced")
    return {
        "spikes_balanced": found and found.spikes,
        "mp_sigma_balanced": found and found.sigma,
        "spike_energy_balanced": found and found.spike_energy,
        "effective_depth_balanced": deep and deep[0],
        "notes": shallow if found else (NO_CORE_BULK, *shallow),
    }


def twin(measure: Decompose) -> Statistic:
    """The balanced twin, by the same method."""
    balanced = Balanced((measure,))
    return spectral(COLUMNS, measure, partial(_of, balanced), frozenset({balanced}))
