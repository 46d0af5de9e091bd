"""Columns of the Marchenko-Pastur bulk and its spikes, beside the spread of lines that alone makes spikes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from ...columns import Column
from ...sketches import Decompose
from ..iid import line_spreads
from ..marchenko_pastur import NO_BULK, NO_CLEAN_BULK, Bulk, bulk
from ..spectrum import THIN, Spectrum
from ..statistic import Evidence, Statistic
from .lines import SPREAD_COLUMNS
from .spectral import joined, margins_of, spectral

_SOURCE = "Kritchman and Nadler 2008"
COLUMNS = (
    Column("mp_sigma", "float", "std of the elements of the noise that the bulk looks like", "weight", _SOURCE),
    Column("mp_low", "float", "lower Marchenko-Pastur edge of the squared singular values", "weight^2"),
    Column("mp_high", "float", "upper Marchenko-Pastur edge of the squared singular values", "weight^2"),
    Column("mp_ks", "float", "Kolmogorov-Smirnov distance of the bulk to the Marchenko-Pastur law"),
    Column("spikes", "int", "singular values above the noise of what is below them", "", _SOURCE, shown=True),
    Column("spike_energy", "float", "share of the spikes in the energy"),
    Column("signal_ratio", "float", "largest singular value over the upper edge of the bulk"),
)
TWICE = 2.0  # times its null: from there the spread of lines is no accident


def bulk_of(s: Spectrum) -> Bulk | None:
    """The bulk; none of a product of thin factors, nor where it is but rounding."""
    found = None if s.low_rank else bulk(s.sigma, s.m, s.n, s.floor)
    return found if found and found.spikes < s.rank else None


def values(found: Bulk | None) -> dict[str, object]:
    """A bulk as columns, its doubts as the note."""
    if found is None:
        return {c.name: None for c in COLUMNS} | {"note": NO_BULK}
    return {
        "mp_sigma": found.sigma,
        "mp_low": found.low,
        "mp_high": found.high,
        "mp_ks": found.ks,
        "spikes": found.spikes,
        "spike_energy": found.spike_energy,
        "signal_ratio": found.signal_ratio,
        "note": "" if found.clean else NO_CLEAN_BULK,
    }


def _of(balanced: bool, spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    s, spread = spectrum, dict(line_spreads(margins_of(evidence)))
    found = values(bulk_of(s))
    said = [THIN] if s.low_rank else [found["note"], *(() if balanced else _uneven(spread))]
    return {**found, **spread, **joined(*said, spread.get("note"))}


def _uneven(spread: Mapping[str, float | str | None]) -> Iterator[str]:
    """The warnings that belong to spikes and depth of a matrix whose lines differ in scale."""
    for side in ("row_spread", "col_spread"):
        value, null = spread[side], spread[f"{side}_null"]
        if isinstance(value, float) and isinstance(null, float) and value > TWICE * null:
            yield f"{side} {value / null:.1f} times its null can fake spikes and depth: see --balance"


def noise(measure: Decompose, balanced: bool) -> Statistic:
    """Bulk, spikes and line spreads; with a balanced twin beside it, no warning is needed."""
    return spectral(COLUMNS + SPREAD_COLUMNS, measure, partial(_of, balanced), frozenset())
