"""Columns of sizes and ranks: how large a matrix is and how many dimensions it uses."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Decompose
from ..iid import zero_lines
from ..ranks import ranks
from ..spectrum import THIN, Spectrum
from ..statistic import Evidence, Statistic
from .spectral import joined, margins_of, spectral

COLUMNS = (
    Column("sigma_max", "float", "largest singular value, the spectral norm", "weight", "numpy.linalg.norm(W, 2)"),
    Column("sigma_min", "float", "least singular value", "weight", "numpy.linalg.norm(W, -2)"),
    Column("fro", "float", "Frobenius norm", "weight", "numpy.linalg.norm"),
    Column("stable_rank", "float", "sum of squared singular values over the largest of them", shown=True),
    Column("effective_rank", "float", "exp of the entropy of sigma/sum(sigma)", "", "Roy and Vetterli 2007"),
    Column("rank", "int", "singular values above the rounding of the stored type and the floor", shown=True),
    Column("condition", "float", "largest over least singular value; null at the floor", "", "numpy.linalg.cond"),
    Column("rank_90", "int", "fewest singular values that hold 90% of the energy"),
    Column("rank_99", "int", "fewest singular values that hold 99% of the energy"),
    Column("log_norm", "float", "log10 of the sum of squared singular values", "", "WeightWatcher"),
)


def _of(spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    s = spectrum
    found = dict(ranks(s.sigma, s.m, s.n, s.floor, s.eps))
    del found["orthogonality"]
    note = found.pop("note", "")
    said = THIN if s.low_rank else note, zero_lines(margins_of(evidence))
    return {**found, **joined(*said)}


def sizes(measure: Decompose) -> Statistic:
    """Norms and ranks."""
    return spectral(COLUMNS, measure, _of, frozenset())
