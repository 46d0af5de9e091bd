"""Which law do the weights follow: every law by maximum likelihood on cells, judged by BIC.

`best` is the law with the fewest parameters among those within 0.001 bits per weight of the lowest BIC, the likeliest
among equals: with millions of weights the lowest BIC alone would always name the most flexible law.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log, sqrt
from typing import TYPE_CHECKING

from ...notes import Note
from .cells import Cells, prepare, weighted
from .goodness import Edges, edges_of, goodness, log_likelihood
from .law import Fitted, Law, Params, in_units
from .members import LAWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...sketches.value_counts import ValueCounts

TIE_BITS = 0.001
UNIFORM_FROM = 1000  # weights: below, a bounded sample of anything may look uniform
ROUNDS = 3  # EM steps on a lattice: each leaves width^2/12 of the error, 4% for fp4


@dataclass(frozen=True)
class Fit:
    """One law fitted to one tensor; parameters in the weights' own unit, the log-likelihood of all weights in nats."""

    law: str
    params: Mapping[str, float]
    loglik: float
    n: int
    ks: float
    w1: float  # in std
    kl_bits: float
    at_bound: bool
    errors: Mapping[str, float] = field(default_factory=dict)

    @property
    def aic(self) -> float:
        """2 k - 2 loglik."""
        return 2 * len(self.params) - 2 * self.loglik

    @property
    def bic(self) -> float:
        """k ln n - 2 loglik."""
        return len(self.params) * log(self.n) - 2 * self.loglik

    @property
    def beta_se(self) -> float | None:
        """Standard error of gennorm's beta, from the curvature of its profile log-likelihood."""
        return self.errors.get("beta")


@dataclass(frozen=True)
class Fits:
    """The fits of one tensor by law name, in the order of LAWS; none, and the reason, where nothing can be fitted."""

    fits: Mapping[str, Fit] = field(default_factory=dict)
    reason: Note | None = None

    def __getitem__(self, law: str) -> Fit:
        return self.fits[law]

    def get(self, law: str) -> Fit | None:
        """The fit, or None."""
        return self.fits.get(law)

    @property
    def best(self) -> Fit | None:
        """Fewest parameters, then likeliest, among the laws within 0.001 bits per weight of the lowest BIC."""
        able = [f for f in self.fits.values() if f.law != "uniform" or f.n >= UNIFORM_FROM]
        if not able:
            return None
        limit = min(f.bic for f in able) + TIE_BITS * 2 * able[0].n * log(2)
        return min((f for f in able if f.bic <= limit), key=lambda f: (len(f.params), -f.loglik))


def fit_laws(counts: ValueCounts, laws: Sequence[Law] = LAWS) -> Fits:
    """Fit the laws to a tensor's counts; exact zeros leave where they are an excess of more than 1%."""
    cells = prepare(counts)
    if isinstance(cells, Note):
        return Fits(reason=cells)
    edges = edges_of(cells)
    return Fits({law.name: _fit(law, cells, edges) for law in laws})


def _fit(law: Law, cells: Cells, edges: Edges) -> Fit:
    found = fitted(law, cells)
    judged = goodness(edges, law, found.params, cells.n)
    return Fit(
        law.name,
        in_units(found.params, cells.centre, cells.scale),
        cells.n * log_likelihood(cells, law, found.params),
        cells.n,
        judged.ks,
        judged.w1,
        judged.kl_bits,
        found.at_bound,
        {name: error / sqrt(cells.n) for name, error in found.errors.items()},
    )


def fitted(law: Law, cells: Cells) -> Fitted:
    """Parameters in standard units; on a lattice EM, which lays each wide cell's share as the law itself would."""
    found = law.fit(cells)
    if cells.parts is None:
        return found
    for _ in range(ROUNDS):
        before: Params = found.params
        found = law.fit(weighted(cells, lambda x: law.logpdf(x, before)))  # noqa: B023 - called at once
        if all(abs(found.params[k] - v) <= 1e-5 * (1 + abs(v)) for k, v in before.items()):
            break
    return found
