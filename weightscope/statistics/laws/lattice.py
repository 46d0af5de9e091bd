"""Fits on a lattice: EM spreads the share of each wide cell over its sub-points as the law does.

The density of a law with a cusp rises inside one cell, where sub-points are too coarse: of few
cells the likelihood of their masses, ln(F(high) - F(low)), is maximised from EM's result.
"""

from __future__ import annotations

from math import exp, inf, log
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import optimize
from .cells import weighted
from .gennorm import Gennorm
from .goodness import log_likelihood
from .laplace import Laplace
from .law import Fitted, Law, Params

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from .cells import Cells

ROUNDS = 3  # EM steps: each keeps width^2/12 of the error, 4% for fp4
SETTLED = 1e-5  # relative change of the parameters at which EM ends
FEW = 512  # wide cells: of more, the sub-points lie close
FIRST = 0.1  # step of the search: of a location in std, of the logarithm of another parameter
CLOSE = 1e-8  # of the parameters and of the likelihood, where the search ends


def fitted_on_lattice(law: Law, cells: Cells) -> Fitted:
    """Parameters in standard units, by EM and for a cusp by the masses of the cells."""
    result = law.fit(cells)
    for _ in range(ROUNDS):
        before = result.params
        result = law.fit(_weighted_by(law, before, cells))
        if _settled(before, result.params):
            break
    few = len(cells.wide[0]) <= FEW
    if few and not result.at_bound and isinstance(law, Laplace | Gennorm):
        return _likeliest(law, cells, result)
    return result


def _weighted_by(law: Law, params: Params, cells: Cells) -> Cells:
    """The E step: shares inside wide cells in proportion to the density of these parameters."""
    return weighted(cells, lambda x: law.logpdf(x, params))


def _settled(before: Params, after: Params) -> bool:
    for name, value in before.items():
        change = abs(after[name] - value)
        close = change <= SETTLED * (1 + abs(value))
        if not close:
            return False
    return True


def _likeliest(law: Laplace | Gennorm, cells: Cells, start: Fitted) -> Fitted:
    """The maximum of the cells' likelihood by Nelder and Mead's search, from `start`."""
    first = _coordinates(law, start.params)
    simplex = np.vstack((first, first + FIRST * np.eye(len(first))))

    def cost(at: NDArray[np.float64]) -> float:
        params = _params(law, at)
        if not law.within(params):
            return inf
        return -log_likelihood(cells, law, params)

    options = {"initial_simplex": simplex, "xatol": CLOSE, "fatol": CLOSE}
    found = optimize.minimize(cost, first, method="Nelder-Mead", options=options)
    params = _params(law, found.x)
    errors = law.errors(_weighted_by(law, params, cells), params)
    return Fitted(params, converged=bool(found.success), errors=errors)


def _coordinates(law: Law, params: Params) -> NDArray[np.float64]:
    """Locations, and the logarithms of the other parameters."""
    values = (params[name] if name in law.locations else log(params[name]) for name in params)
    return np.fromiter(values, float)


def _params(law: Law, at: Iterable[float]) -> dict[str, float]:
    values = dict(zip(law.parameters, map(float, at), strict=True))
    return {name: value if name in law.locations else exp(value) for name, value in values.items()}
