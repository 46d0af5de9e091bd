"""Extreme weights: counts beyond k std over a Gaussian's, the largest z, the core, special values and lattices."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, isfinite, pi, sqrt
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import special
from ...notes import Note, united
from ...sketches import Beyond
from ...sketches.beyond import ROBUST, SIGMAS
from ...sketches.quantiles import resolved
from ..statistic import Evidence, Statistic
from .filters import tiny_share
from .largest_z import max_z, max_z_null
from .lattice import lattice
from .moments import BEYOND, nonfinite

if TYPE_CHECKING:
    from ...sketches import Crossings, ValueCounts

COLUMNS = (
    Column("nan", "int", "NaN values", shown=True),
    Column("inf", "int", "infinite values, both signs", shown=True),
    Column("zeros", "int", "exact zeros, +0 and -0"),
    Column("subnormals", "int", "values below the least normal magnitude of their type"),
    Column("tiny_share", "float", "share of weights with |w| < std/1000", "", "arXiv 2501.10661"),
    Column(
        "distinct",
        "int",
        "distinct finite values; null beyond 65,536, of larger F32 and F64 tensors beyond 4,096",
    ),
    Column("min", "float", "least finite value", "weight"),
    Column("max", "float", "greatest finite value", "weight"),
    *(
        column
        for k in SIGMAS
        for column in (
            Column(f"beyond_{k}", "int", f"weights further than {k} std from the mean"),
            Column(f"beyond_{k}_ratio", "float", f"their share over a Gaussian's beyond {k} std"),
        )
    ),
    Column("max_z", "float", "largest |w - mean|/std", "std", shown=True),
    Column("max_z_null", "float", "what as many Gaussians give for max_z", "std", shown=True),
    Column(
        "core_share",
        "float",
        "share of weights within 4 robust_std of the median",
        "",
        "arXiv 2501.10661",
    ),
    Column(
        "core_std", "float", "std of those, corrected for the cut", "weight", "arXiv 2501.10661"
    ),
    Column("lattice", "str", "bf16, step S, two powers or codebook N where the values are on one"),
)


def beyond(found: Crossings) -> Mapping[str, object]:
    """`beyond_k` = count of |w - mean| > k std, `beyond_k_ratio` = its share over a Gaussian's, k = 3, 4, 5, 6."""
    values: dict[str, object] = {}
    for i, k in enumerate(SIGMAS):
        count = found.beyond[i] if found.beyond and found.counts.n else None
        values[f"beyond_{k}"] = count
        values[f"beyond_{k}_ratio"] = (
            None if count is None else count / found.counts.n / gaussian_share(k)
        )
    return values


def gaussian_share(k: float) -> float:
    """Share of a Gaussian further than k std from its mean: erfc(k/sqrt 2).

    >>> f"{gaussian_share(3):.4g}, {gaussian_share(6):.4g}"
    '0.0027, 1.973e-09'
    """
    return float(special.erfc(k / sqrt(2)))


def farthest(found: Crossings) -> Mapping[str, object]:
    """`max_z` = max |w - mean|/std beside `max_z_null` = E max |z| of as many Gaussians."""
    z = max_z(found.counts)
    return {"max_z": z, "max_z_null": None if z is None else max_z_null(found.counts.n)}


def core(found: Crossings) -> Mapping[str, object]:
    """`core_share` within 4 robust std of the median; `core_std`, its std over that of a Gaussian cut at 4 sigma.

    arXiv 2501.10661 takes optimal weights for such a truncated Gaussian and few outliers.
    """
    if found.core is None or not found.core.n:
        return {"core_share": None, "core_std": None}
    std = found.core.std / truncated_std(ROBUST)
    return {"core_share": found.core.n / found.counts.n, "core_std": std if isfinite(std) else None}


def truncated_std(cut: float) -> float:
    """Std of a standard Gaussian cut at +-cut: sqrt(1 - 2 cut phi(cut)/(2 Phi(cut) - 1)).

    >>> round(truncated_std(3), 5)
    0.98658
    """
    density = exp(-cut * cut / 2) / sqrt(2 * pi)
    return sqrt(1 - 2 * cut * density / (1 - gaussian_share(cut)))


def _of(evidence: Evidence) -> Mapping[str, object]:
    found = evidence.sketches[Beyond()]
    counts = found.counts
    return {
        **{
            name: getattr(counts, name)
            for name in ("nan", "inf", "zeros", "subnormals", "distinct")
        },
        "tiny_share": tiny_share(counts),
        "min": counts.minimum if counts.n else None,
        "max": counts.maximum if counts.n else None,
        **beyond(found),
        **farthest(found),
        **core(found),
        "lattice": lattice(counts, evidence.dtype) if evidence.dtype else None,
        "notes": united(nonfinite(counts, evidence.shape), _note(found)),
    }


def _note(found: Crossings) -> Note | None:
    if not found.counts.n:
        return Note("nothing-finite", "no finite element")
    if found.counts.minimum == found.counts.maximum:
        return Note("constant", "all values are equal: no std")
    if found.beyond is None:
        return BEYOND
    return _coreless(found.counts) if found.core is None else None


def _coreless(counts: ValueCounts) -> Note:
    """Why there is no robust scale."""
    if not resolved(counts):
        return Note("wide-bins", "bins too wide beside the spread: no core")
    equal = counts.exact or 2 * counts.zeros >= counts.n  # zeros have a cell of their own
    return Note(
        "no-core", f"half of the values or more are {'equal' if equal else 'in one bin'}: no core"
    )


EXTREMES = Statistic(COLUMNS, frozenset({Beyond()}), _of, pools=True)
