"""Which law do the weights follow: every law by maximum likelihood on cells, compared by BIC.

`best` is the law with the fewest parameters among those within 0.001 bits per weight of the lowest
BIC, the likeliest among equals: with millions of weights the lowest BIC alone would always name the
most flexible law.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from math import log, sqrt
from typing import TYPE_CHECKING

from ...notes import Note
from .cell_masses import fitted_on_lattice
from .cells import Cells, prepare
from .edges import Edges, edges_of
from .goodness import Goodness, goodness, log_likelihood
from .law import Fitted, Law, in_units
from .members import LAWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...sketches.value_counts import ValueCounts

TIE_BITS = 0.001
UNIFORM_FROM = 1000  # weights: below, a bounded sample of anything may look uniform


@dataclass(frozen=True)
class Fit:
    """One law fitted to one tensor; parameters have the weights' unit, `loglik` is in nats.

    The distances to the weights are computed where they are read: most laws have none in a report.
    """

    law: str
    params: Mapping[str, float]
    loglik: float  # of all weights together
    n: int
    measure: Callable[[], Goodness] = field(compare=False, repr=False)
    at_bound: bool = False
    converged: bool = True
    errors: Mapping[str, float] = field(default_factory=dict)

    @property
    def ks(self) -> float:
        """Kolmogorov-Smirnov distance."""
        return self.goodness.ks

    @property
    def w1(self) -> float:
        """Wasserstein-1 distance, in std."""
        return self.goodness.w1

    @property
    def kl_bits(self) -> float | None:
        """Bits per weight lost; None where the weights are too few."""
        return self.goodness.kl_bits

    @cached_property
    def goodness(self) -> Goodness:
        """All distances of the law from the weights."""
        return self.measure()

    @property
    def aic(self) -> float:
        """2 k - 2 loglik."""
        k = len(self.params)
        return 2 * k - 2 * self.loglik

    @property
    def bic(self) -> float:
        """k ln n - 2 loglik."""
        k = len(self.params)
        return k * log(self.n) - 2 * self.loglik

    @property
    def beta_se(self) -> float | None:
        """Standard error of gennorm's beta, from the curvature of its profile log-likelihood."""
        return self.errors.get("beta")


@dataclass(frozen=True)
class Fits:
    """The fits of one tensor by law name, in the order of LAWS; or none, and the reason."""

    fits: Mapping[str, Fit] = field(default_factory=dict)
    reason: Note | None = None

    def __getitem__(self, law: str) -> Fit:
        return self.fits[law]

    def get(self, law: str) -> Fit | None:
        """The fit, or None."""
        return self.fits.get(law)

    @property
    def best(self) -> Fit | None:
        """Fewest parameters, then likeliest, within 0.001 bits per weight of the lowest BIC."""
        candidates = [f for f in self.fits.values() if f.law != "uniform" or f.n >= UNIFORM_FROM]
        if not candidates:
            return None
        lowest = min(fit.bic for fit in candidates)
        n = candidates[0].n
        limit = lowest + TIE_BITS * 2 * n * log(2)  # one bit is 2 ln 2 of BIC
        ties = [fit for fit in candidates if fit.bic <= limit]
        return min(ties, key=lambda fit: (len(fit.params), -fit.loglik))


def fit_laws(counts: ValueCounts, laws: Sequence[Law] = LAWS) -> Fits:
    """Fit the laws to a tensor's counts, without exact zeros where these are an excess."""
    cells = prepare(counts)
    if isinstance(cells, Note):
        return Fits(reason=cells)
    edges = edges_of(cells)
    return Fits({law.name: _fit_law(law, cells, edges) for law in laws})


def shape_of(counts: ValueCounts, law: Law, shape: str) -> tuple[float, float | None] | None:
    """A shape parameter and its standard error, without the goodness of the fit; None: no fit."""
    cells = prepare(counts)
    if isinstance(cells, Note):
        return None
    result = fitted(law, cells)
    error = result.errors.get(shape)
    if error is not None:
        error /= sqrt(cells.n)
    return result.params[shape], error


def _fit_law(law: Law, cells: Cells, edges: Edges) -> Fit:
    """Fit in standard units, then convert the parameters to the weights' unit."""
    result = fitted(law, cells)
    return Fit(
        law=law.name,
        params=in_units(law, result.params, cells.centre, cells.scale),
        loglik=cells.n * log_likelihood(cells, law, result.params),
        n=cells.n,
        measure=partial(goodness, edges, law, result.params, cells.n),
        at_bound=result.at_bound,
        converged=result.converged,
        errors={name: error / sqrt(cells.n) for name, error in result.errors.items()},
    )


def fitted(law: Law, cells: Cells) -> Fitted:
    """Parameters in standard units."""
    if cells.parts is None:
        return law.fit(cells)
    return fitted_on_lattice(law, cells)
