"""Columns of single weights that stand out: special values, counts beyond k std, the largest z, the core, lattices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...columns import Column
from ...sketches import Beyond
from ...sketches.beyond import SIGMAS
from ...sketches.quantiles import resolved
from ..extremes import beyond, core, farthest
from ..filters import tiny_share
from ..lattice import lattice
from ..statistic import Evidence, Statistic
from .moments import nonfinite

if TYPE_CHECKING:
    from ...sketches import Crossings, ValueCounts

COLUMNS = (
    Column("nan", "int", "NaN values", shown=True),
    Column("inf", "int", "infinite values, both signs", shown=True),
    Column("zeros", "int", "exact zeros, +0 and -0"),
    Column("subnormals", "int", "values below the least normal magnitude of their type"),
    Column("tiny_share", "float", "share of weights with |w| < std/1000", "", "arXiv 2501.10661"),
    Column("distinct", "int", "distinct finite values; null beyond 65,536, of larger F32 and F64 tensors beyond 4,096"),
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
    Column("core_share", "float", "share of weights within 4 robust_std of the median", "", "arXiv 2501.10661"),
    Column("core_std", "float", "std of those, corrected for the cut", "weight", "arXiv 2501.10661"),
    Column("lattice", "str", "bf16, step S, two powers or codebook N where the values are on one"),
)


def _of(evidence: Evidence) -> Mapping[str, object]:
    found = evidence.sketches[Beyond()]
    counts = found.counts
    return {
        **{name: getattr(counts, name) for name in ("nan", "inf", "zeros", "subnormals", "distinct")},
        "tiny_share": tiny_share(counts),
        "min": counts.minimum if counts.n else None,
        "max": counts.maximum if counts.n else None,
        **beyond(found),
        **farthest(found),
        **core(found),
        "lattice": lattice(counts, evidence.dtype) if evidence.dtype else None,
        "note": "; ".join(n for n in (nonfinite(counts, evidence.shape), _note(found)) if n),
    }


def _note(found: Crossings) -> str:
    if not found.counts.n:
        return "no finite element"
    if found.counts.minimum == found.counts.maximum:
        return "all values are equal: no std"
    if found.beyond is None:
        return "squares leave float64: no std"
    return _coreless(found.counts) if found.core is None else ""


def _coreless(counts: ValueCounts) -> str:
    """Why there is no robust scale."""
    if not resolved(counts):
        return "bins too wide beside the spread: no core"
    equal = counts.exact or 2 * counts.zeros >= counts.n        # zeros have a cell of their own
    return f"half of the values or more are {'equal' if equal else 'in one bin'}: no core"


EXTREMES = Statistic(COLUMNS, frozenset({Beyond()}), _of, pools=True)
