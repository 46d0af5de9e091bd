"""A merged model as base + sum of mix_i D_i: least squares on the inner products of deltas.

There is no intercept: the elements of the merge's delta are fitted by those of the sources. Deltas
are scaled to norm 1 first, so that the rank does not depend on their sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note, notes_of, united
from ...sketches.vector_record import VectorProducts
from .task_vectors import OVERFLOW, leaves_float64, left_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

COLUMNS = (
    Column(
        "mix",
        "float",
        "share of the source in the merge: least squares of its delta on those of all sources",
        "",
        "numpy.linalg.lstsq",
        shown=True,
        error="mix_se",
    ),
    Column("mix_se", "float", "standard error of mix, from the rest of the fit"),
    Column(
        "mix_residual",
        "float",
        "norm of the rest over that of the merge's delta; 0 below 3e-8, which is rounding",
        "",
        "numpy.linalg.lstsq",
        shown=True,
    ),
)
# Products are rounded to about 1e-15, which an eigenvalue of 1e-10 turns into 1e-5 of a share;
# directions of smaller ones, deltas less than 0.0008 degrees apart, are not determined.
LEAST = 1e-10
ROUNDING = 2.0**-50  # of products of vectors of norm 1: what is below it depends on the machine
APART = 1e-6  # entry of a direction that is not determined below which a source has none of it
ZERO_SOURCE = Note("zero-norm", "the delta of the source is 0 everywhere: mix is null")
ZERO_MERGE = Note("zero-norm", "the delta of the merge is 0 everywhere: mix_residual is null")
COLLINEAR = Note("collinear", "the delta of the source is a sum of multiples of others: no share")
NO_ERROR = Note("few-elements", "no more elements than sources: mix_se is null")


@dataclass(frozen=True, eq=False)
class Fit:
    """Least squares of a vector of norm 1 on others of norm 1, of rank `rank`.

    `shares` and `variances` (those of unit noise) are of the least norm; `determined` are those
    that any other solution has too.
    """

    shares: Floats
    variances: Floats
    determined: NDArray[np.bool_]
    residual: float
    rank: int


def mixing(products: VectorProducts) -> tuple[Mapping[str, object], ...]:
    """Columns and notes of each source; the last vector is the delta of the merge.

    mix = G^-1 <D_i, D>; mix_residual = |D - sum mix_i D_i|/|D|, 0 below 3e-8, the root of the
    rounding of products; mix_se = sqrt(|rest|^2/(n - rank) diag(G^-1)). Nulls where a source
    is 0 or a sum of others. Equals numpy.linalg.lstsq of the stacked vectors.

    >>> moments = np.array([[4.0, 0.0, 2.0], [0.0, 1.0, 1.0], [2.0, 1.0, 2.0]])
    >>> zeros, signs = np.zeros(3), np.full((3, 3), 9)
    >>> [row["mix"] for row in mixing(VectorProducts(9, 0, zeros, zeros, moments, signs, signs))]
    [0.5, 1.0]
    """
    sources = products.k - 1
    general = united(left_out(products))
    if not products.n:
        return ({"notes": general},) * sources
    if any(leaves_float64(products, i) for i in range(products.k)):
        return ({"notes": united(OVERFLOW, general)},) * sources
    active = [i for i in range(sources) if products.nonzero[i]]
    norms = np.sqrt(np.diagonal(products.gram)).tolist()
    fit = _fit(products, active, norms)
    residual: float | None = fit.residual
    if not products.nonzero[-1]:
        residual = None
        general = united(ZERO_MERGE, general)
    rows = []
    for i in range(sources):
        row: dict[str, object] = {"notes": (ZERO_SOURCE,)}
        if i in active:
            row = _of_source(fit, active.index(i), norms[-1] / norms[i], products.n)
        notes = united(notes_of(row), general)
        rows.append({**row, "mix_residual": residual, "notes": notes})
    return tuple(rows)


def _of_source(fit: Fit, i: int, scale: float, n: int) -> dict[str, object]:
    """Share and standard error of one source; `scale` is |D|/|D_i|."""
    if not fit.determined[i]:
        return {"notes": (COLLINEAR,)}
    share = float(fit.shares[i]) * scale
    if n <= fit.rank:
        return {"mix": share, "notes": (NO_ERROR,)}
    variance = float(fit.variances[i]) / (n - fit.rank)
    error = fit.residual * sqrt(variance) * scale
    return {"mix": share, "mix_se": error, "notes": ()}


def _fit(products: VectorProducts, active: list[int], norms: list[float]) -> Fit:
    """The fit of the last vector on the active ones, all scaled to norm 1."""
    chosen = [*active, products.k - 1]
    scales = np.array([1 / norms[i] if norms[i] else 0.0 for i in chosen])
    gram = products.gram[np.ix_(chosen, chosen)] * scales * scales[:, None]
    np.fill_diagonal(gram, np.sign(scales))  # 1, and 0 for a merge of zeros
    values, vectors = np.linalg.eigh(gram[:-1, :-1])
    kept = values > LEAST
    basis = vectors[:, kept]
    shares = basis @ ((basis.T @ gram[:-1, -1]) / values[kept])
    shares[np.abs(shares) < ROUNDING / values[kept].min(initial=1.0)] = 0.0
    variances = (basis**2 / values[kept]).sum(1)
    open_parts = np.abs(vectors[:, ~kept]).max(1, initial=0.0)
    # The rest as one vector of shares of all: errors of shares enter by their squares.
    rest = np.append(-shares, 1.0)
    square = float(rest @ gram @ rest)
    if square < ROUNDING:
        square = 0.0
    residual = sqrt(min(square, 1.0))
    return Fit(shares, variances, open_parts < APART, residual, int(kept.sum()))
