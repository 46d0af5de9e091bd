"""Extreme weights: counts beyond k std, largest z, central weights, special values, lattices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import exp, isfinite, pi, sqrt
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import special
from ...notes import Note, united
from ...sketches import Beyond, RowPairs
from ...sketches.aims import SIGMAS
from ...sketches.quantiles import resolved
from ...sketches.quartile_look import ROBUST
from ..statistic import Evidence, Statistic
from .filters import tiny_share
from .largest_z import LARGEST_Z, largest_z
from .lattice import lattice
from .moments import BEYOND, nonfinite
from .precision import lattice_of, precision_history

if TYPE_CHECKING:
    from ...sketches import Crossings, ValueCounts


def _beyond_columns() -> Iterator[Column]:
    for k in SIGMAS:
        yield Column(f"beyond_{k}", "int", f"weights further than {k} std from the mean")
        yield Column(f"beyond_{k}_ratio", "float", f"their share over a Gaussian's beyond {k} std")


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
    *_beyond_columns(),
    *LARGEST_Z.columns,
    Column(
        "core_share",
        "float",
        "share of weights within 4 robust_std of the median",
        "",
        "arXiv 2501.10661",
        version=2,
    ),
    Column(
        "core_std",
        "float",
        "std of those, corrected for the cut",
        "weight",
        "arXiv 2501.10661",
        version=2,
    ),
    Column(
        "lattice",
        "str",
        "step S, two powers, codebook N, bf16, f16, or a scheme such as nf4 g64, where values are "
        "on one",
        version=2,
    ),
    Column(
        "precision_history",
        "str",
        "format from which a wider tensor was upcast: BF16, F16, F32, or a scheme of a quantiser",
    ),
)


def beyond(crossings: Crossings) -> Mapping[str, object]:
    """`beyond_k`: count of |w - mean| > k std; `beyond_k_ratio`: its share over a Gaussian's."""
    values: dict[str, object] = {}
    n = crossings.counts.n
    for i, k in enumerate(SIGMAS):
        count = ratio = None
        if crossings.beyond and n:
            count = crossings.beyond[i]
            ratio = count / n / gaussian_share(k)
        values[f"beyond_{k}"] = count
        values[f"beyond_{k}_ratio"] = ratio
    return values


def gaussian_share(k: float) -> float:
    """Share of a Gaussian further than k std from its mean: erfc(k/sqrt 2).

    >>> f"{gaussian_share(3):.4g}, {gaussian_share(6):.4g}"
    '0.0027, 1.973e-09'
    """
    return float(special.erfc(k / sqrt(2)))


def central_weights(crossings: Crossings) -> Mapping[str, object]:
    """`core_share` within 4 robust std; `core_std`, its std over that of a Gaussian cut at 4 sigma.

    arXiv 2501.10661 takes optimal weights for such a truncated Gaussian and few outliers.
    """
    central = crossings.central
    if central is None or not central.n:
        return {"core_share": None, "core_std": None}
    std = central.std / truncated_std(ROBUST)
    return {
        "core_share": central.n / crossings.counts.n,
        "core_std": std if isfinite(std) else None,
    }


def truncated_std(cut: float) -> float:
    """Std of a standard Gaussian cut at +-cut: sqrt(1 - 2 cut phi(cut)/(2 Phi(cut) - 1)).

    >>> round(truncated_std(3), 5)
    0.98658
    """
    density = exp(-cut * cut / 2) / sqrt(2 * pi)
    inside = 1 - gaussian_share(cut)
    return sqrt(1 - 2 * cut * density / inside)


def _extreme_columns(evidence: Evidence) -> Mapping[str, object]:
    crossings = evidence.sketches[Beyond()]
    counts = crossings.counts
    minimum = maximum = None
    if counts.n:
        minimum, maximum = counts.minimum, counts.maximum
    lattice_name = history = None  # of pooled tensors of several types
    if evidence.dtype:
        rows = evidence.sketches[RowPairs()]
        history = precision_history(counts, rows, evidence.dtype)
        lattice_name = lattice(counts, evidence.dtype) or lattice_of(history)
    return {
        "nan": counts.nan,
        "inf": counts.inf,
        "zeros": counts.zeros,
        "subnormals": counts.subnormals,
        "distinct": counts.distinct,
        "tiny_share": tiny_share(counts),
        "min": minimum,
        "max": maximum,
        **beyond(crossings),
        **largest_z(counts),
        **central_weights(crossings),
        "lattice": lattice_name,
        "precision_history": history,
        "notes": united(nonfinite(counts, evidence.shape), _missing(crossings)),
    }


def _missing(crossings: Crossings) -> Note | None:
    """The reason for the first columns that are null."""
    counts = crossings.counts
    if not counts.n:
        return Note("nothing-finite", "no finite element")
    if counts.minimum == counts.maximum:
        return Note(
            "constant", "all values are identical: std is 0, columns in units of std are null"
        )
    if crossings.beyond is None:
        return BEYOND
    if crossings.central is None:
        return _no_robust_scale(counts)
    return None


def _no_robust_scale(counts: ValueCounts) -> Note:
    """The reason why robust_std is 0 or unknown."""
    effect = "core_share and core_std are null"
    if not resolved(counts):
        return Note("wide-bins", f"bins are too wide for the spread of the values: {effect}")
    half = "half of the values are in one bin"
    if counts.exact or 2 * counts.zeros >= counts.n:  # zeros have a cell of their own
        half = "half of the values are identical"
    return Note("zero-iqr", f"interquartile range is 0 ({half}): {effect}")


EXTREMES = Statistic(COLUMNS, frozenset({Beyond(), RowPairs()}), _extreme_columns, pools=True)
