"""Fits on a lattice: EM spreads the share of each wide cell over its sub-points as the law does.

A cusp or a narrow part of a mixture lies inside one cell, where sub-points are too coarse: of few
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
from .normal import Normal
from .normal_mixture import NormalMixture
from .truncnorm import Truncnorm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

    Searched = Normal | Laplace | Gennorm | NormalMixture | Truncnorm

ROUNDS = 3  # EM steps: each keeps width^2/12 of the error, 4% for fp4
ROUNDS_OF_FEW = 12  # of cells nearly one std wide each keeps up to a third
SETTLED = 1e-5  # relative change of the parameters at which EM ends
FEW = 64  # wide cells: of more, the sub-points lie close
# Wide cells of a normal, whose search is quick and whose sub-points leave 1e-4 of sigma, and of a
# gennorm with a cusp, whose sub-points leave 3% to 15% of beta.
MANY = 512
CUSP = 1.0  # beta below which the density has one
GIVEN = {"truncnorm": ("mu", "cut")}  # parameters that are no maximum: mean, outermost weight
FIRST = 0.1  # step of the search: of a location in std, of the logarithm of another parameter
CLOSE = 1e-8  # of the parameters and of the likelihood, where the search ends


def fitted_on_lattice(law: Law, cells: Cells) -> Fitted:
    """Parameters in standard units, by EM and of few cells by their masses."""
    few = 0 < len(cells.wide[0]) <= FEW
    result = law.fit(cells)
    for _ in range(ROUNDS_OF_FEW if few else ROUNDS):
        before = result.params
        result = law.fit(_weighted_by(law, before, cells))
        if _settled(before, result.params):
            break
    many = 0 < len(cells.wide[0]) <= MANY
    if many and isinstance(law, Normal | Gennorm) and _is_searched(law, result):
        return _likeliest(law, cells, result.params)
    if not few:
        return result
    if isinstance(law, NormalMixture):
        spiked = law.with_spike(result.params, _excess(law, cells, result.params))
        ends = [_likeliest(law, cells, start) for start in (result.params, spiked)]
        return max(ends, key=lambda end: log_likelihood(cells, law, end.params))
    if isinstance(law, Laplace | Gennorm | Truncnorm) and not result.at_bound:
        return _likeliest(law, cells, result.params)
    return result


def _is_searched(law: Normal | Gennorm, result: Fitted) -> bool:
    """Whether the masses of many cells are searched too."""
    if isinstance(law, Gennorm):
        return result.params["beta"] < CUSP and not result.at_bound
    return True


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


def _excess(law: Law, cells: Cells, params: Params) -> tuple[float, float, float]:
    """Of the wide cell with the greatest excess of weights: value, width and excess share."""
    low, high, value, share = cells.wide
    excess = share - (law.cdf(high, params) - law.cdf(low, params))
    at = int(np.argmax(excess))
    return float(value[at]), float(high[at] - low[at]), float(excess[at])


def _likeliest(law: Searched, cells: Cells, start: Params) -> Fitted:
    """The maximum of the cells' likelihood by Nelder and Mead's search, from `start`."""
    free = [name for name in start if name not in GIVEN.get(law.name, ())]
    first = np.array([start[name] if name in law.locations else log(start[name]) for name in free])
    simplex = np.vstack((first, first + FIRST * np.eye(len(first))))

    def params(at: NDArray[np.float64]) -> Params:
        found = dict(zip(free, map(float, at), strict=True))
        return {**start, **{n: x if n in law.locations else exp(x) for n, x in found.items()}}

    def cost(at: NDArray[np.float64]) -> float:
        tried = params(at)
        if not law.within(tried):
            return inf
        return -log_likelihood(cells, law, tried)

    options = {"initial_simplex": simplex, "xatol": CLOSE, "fatol": CLOSE}
    end = optimize.minimize(cost, first, method="Nelder-Mead", options=options)
    found = params(end.x)
    errors = law.errors(_weighted_by(law, found, cells), found)
    return Fitted(found, converged=bool(end.success), errors=errors)
