"""Columns that compare the whole spectrum with what i.i.d. elements give."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Decompose
from ..ranks import ZERO
from ..spectrum import Spectrum
from ..spectrum_nulls import near_zero, near_zero_null, null_ks, tail_excess
from ..statistic import Evidence, Statistic
from .spectral import joined, spectral

COLUMNS = (
    Column("null_ks", "float", "distance of all squared singular values to the Marchenko-Pastur law of the elements"),
    Column("near_zero", "float", "share of singular values below 0.1 of their RMS"),
    Column("near_zero_null", "float", "the Marchenko-Pastur law's share"),
    Column("tail_excess", "float", "largest singular value over the Marchenko-Pastur edge of the elements"),
)
ALIKE = "no null_ks: the elements hardly vary beside their mean"


def _of(spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    s = spectrum
    near, distance = near_zero(s.sigma), null_ks(s.sigma, s.m, s.n, s.variance)
    return {
        "null_ks": distance,
        "near_zero": near,
        "near_zero_null": None if near is None else near_zero_null(s.q),
        "tail_excess": tail_excess(s.sigma, s.m, s.n),
        **joined(ZERO if near is None else "" if distance is not None else ALIKE),
    }


def chance(measure: Decompose) -> Statistic:
    """Distance, tiny values and edge, each in closed form."""
    return spectral(COLUMNS, measure, _of, frozenset())
