"""Norms and ranks of a matrix: size, number of dimensions and evenness of its singular values.

sigma are the min(m,n) singular values, finite, descending, float64, of the m x n lines that are not
zero; `floor` is the value below which their method cannot distinguish one from zero. Squares are
taken of sigma/sigma_1, so that no unit of the weights is too small or too large.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log10, sqrt
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...lazy import special
from ...notes import Note, Notes, notes_of, united
from ...sketches import Decompose
from ..lines.iid import zero_lines
from ..statistic import Evidence, Statistic
from .spectral import margins_of, spectral
from .spectrum import THIN, ZERO, Spectrum, uncertain

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = (
    Column(
        "sigma_max",
        "float",
        "largest singular value, the spectral norm",
        "weight",
        "numpy.linalg.norm(W, 2)",
    ),
    Column("sigma_min", "float", "least singular value", "weight", "numpy.linalg.norm(W, -2)"),
    Column("fro", "float", "Frobenius norm", "weight", "numpy.linalg.norm"),
    Column(
        "stable_rank",
        "float",
        "sum of squared singular values over the largest of them",
        shown=True,
    ),
    Column(
        "effective_rank",
        "float",
        "exp of the entropy of sigma/sum(sigma)",
        "",
        "Roy and Vetterli 2007",
    ),
    Column(
        "rank",
        "int",
        "singular values above the rounding of the stored type and `floor`",
        shown=True,
    ),
    Column(
        "condition",
        "float",
        "largest over least singular value; null if the least is at most `floor`",
        "",
        "numpy.linalg.cond",
    ),
    Column("rank_90", "int", "fewest singular values that hold 90% of the energy"),
    Column("rank_99", "int", "fewest singular values that hold 99% of the energy"),
    Column("log_norm", "float", "log10 of the sum of squared singular values", "", "WeightWatcher"),
)
NAMES = (*(c.name for c in COLUMNS), "orthogonality")
TIE = 1e-9  # rounding of a cumulated share: 9 of 10 equal values hold 90%


def ranks(
    sigma: NDArray[np.float64], m: int, n: int, floor: float, eps: float
) -> Mapping[str, float | int | Notes | None]:
    """All NAMES, with lambda = sigma^2, and `notes` with the reason for a null.

    `fro` = sqrt(sum lambda), `stable_rank` = sum(lambda)/lambda_1, `effective_rank` = exp(-sum p ln
    p) with p = sigma/sum(sigma), `log_norm` = log10 sum(lambda), `orthogonality` = population std
    over mean of sigma, `rank` = number of values above `uncertain`; `condition` and `rank_90`,
    `rank_99` as below. Sizes are in the unit of the weights. Equals numpy.linalg.norm and cond,
    scipy.stats.entropy and variation. A zero matrix has sizes and rank 0 and nothing else.

    >>> values = ranks(np.array([3.0, 1.0]), 2, 2, floor=1e-6, eps=2.0**-23)
    >>> values["rank"], values["condition"], values["rank_90"]
    (2, 3.0, 1)
    """
    if not (len(sigma) and sigma[0] > 0):
        return dict.fromkeys(NAMES) | {
            "sigma_max": 0.0,
            "sigma_min": 0.0,
            "fro": 0.0,
            "rank": 0,
            "notes": (ZERO,),
        }
    top = float(sigma[0])
    relative = sigma / sigma[0]
    energy = float((relative**2).sum())
    entropy = special.entr(relative / relative.sum()).sum()  # entr(0) = 0
    rank = int((sigma > uncertain(sigma, m, n, floor, eps)).sum())
    ratio = condition(sigma, floor)
    values: dict[str, float | int | Notes | None] = {
        "sigma_max": top,
        "sigma_min": float(sigma[-1]),
        "fro": top * sqrt(energy),
        "stable_rank": energy,
        "effective_rank": float(np.exp(entropy)),
        "rank": rank,
        "condition": ratio,
        "rank_90": rank_of_share(sigma, 0.90),
        "rank_99": rank_of_share(sigma, 0.99),
        "log_norm": 2 * log10(top) + log10(energy),
        "orthogonality": float(relative.std() / relative.mean()),
    }
    if rank < len(sigma):
        values["notes"] = (_rounding(len(sigma) - rank, len(sigma), ratio),)
    return values


def _rounding(lost: int, of: int, ratio: float | None) -> Note:
    """The number of singular values that may be rounding, and its effect on the condition."""
    effect = "condition is null" if ratio is None else "condition is uncertain"
    template = f"{effect}: {{lost}} of {{of}} singular values may be rounding"
    return Note.of("rounding", template, lost=lost, of=of)


def condition(sigma: NDArray[np.float64], floor: float) -> float | None:
    """sigma_1/sigma_r; None where sigma_r <= `floor`: the matrix may be singular.

    Its condition is then at least sigma_1/floor.

    >>> condition(np.array([4.0, 2.0]), 1e-6), condition(np.array([4.0, 1e-9]), 1e-6)
    (2.0, None)
    """
    if not len(sigma) or sigma[-1] <= floor:
        return None
    return float(sigma[0] / sigma[-1])


def rank_of_share(sigma: NDArray[np.float64], share: float) -> int:
    """The fewest singular values that hold this share of the energy sum(sigma^2); sigma_1 > 0.

    >>> rank_of_share(np.ones(10), 0.9)
    9
    """
    energy = np.cumsum((sigma / sigma[0]) ** 2)
    required = share * (1 - TIE) * energy[-1]
    return int(np.searchsorted(energy, required)) + 1


def _norms_and_ranks(s: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    values = dict(ranks(s.sigma, s.m, s.n, s.floor, s.eps))
    del values["orthogonality"]  # a column of `evenness`
    notes = THIN if s.low_rank else notes_of(values)
    return {**values, "notes": united(notes, zero_lines(margins_of(evidence)))}


def sizes(measure: Decompose) -> Statistic:
    """Norms and ranks."""
    return spectral(COLUMNS, measure, _norms_and_ranks, frozenset())
