"""A law: one family of distributions, fitted by maximum likelihood to weighted points.

`fit` works in standard units (mean 0, std 1), where cells resolve 1e-6; `in_units` converts the
parameters back. Each law declares the facts that fits, goodness and tests need.

The tests run these equations on every member of LAWS: the density integrates to 1, cdf' = pdf,
cdf(ppf(q)) = q, logpdf and cdf equal those in scipy.stats, the parameters of random samples are
recovered, and shifting or scaling the weights changes locations and scales alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

Params = Mapping[str, float]
# A weighted sum of distributions: (share, name in scipy.stats, its arguments).
ScipyTerms = tuple[tuple[float, str, Params], ...]


@dataclass(frozen=True)
class Fitted:
    """Parameters of greatest likelihood; `errors`: standard errors for one weight, times sqrt N."""

    params: Params
    at_bound: bool = False
    converged: bool = True
    errors: Mapping[str, float] = field(default_factory=dict)


class Law(Protocol):
    """A family of distributions; the number of `parameters` is the k of AIC and BIC."""

    @property
    def name(self) -> str:
        """Value of the columns `best` and `law`."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names in the order of the formula: locations, shapes and scales (all others)."""

    @property
    def locations(self) -> tuple[str, ...]:
        """Parameters that move with the weights, in ascending order of their values."""

    @property
    def shapes(self) -> tuple[str, ...]:
        """Parameters without a unit: neither shifting nor scaling the weights changes them."""

    @property
    def symmetric(self) -> bool:
        """Whether the density is symmetric about the mean of the locations."""

    @property
    def has_mean(self) -> bool:
        """Whether the mean is finite inside the bounds of the parameters."""

    @property
    def costly(self) -> bool:
        """Whether cdf takes over 100 ns per point: goodness then interpolates it in a table."""

    @property
    def typical(self) -> tuple[Params, ...]:
        """Parameters as found in checkpoints, for the tests."""

    def scipy_terms(self, p: Params) -> ScipyTerms:
        """The same distribution in scipy.stats, as a weighted sum."""

    def fit(self, cells: Cells) -> Fitted:
        """Maximum likelihood in standard units."""

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Log-density; -inf outside the support."""

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """P(X <= x)."""

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Inverse of cdf."""


def pdf(law: Law, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
    """Density, exp(logpdf).

    >>> from weightscope.statistics.laws import LAWS
    >>> round(float(pdf(LAWS[0], 0.0, {"mu": 0.0, "sigma": 1.0})), 4)
    0.3989
    """
    return np.exp(law.logpdf(x, p))


def in_units(law: Law, p: Params, centre: float, scale: float) -> dict[str, float]:
    """Parameters of scale * X + centre, given those of X.

    >>> from weightscope.statistics.laws import LAWS
    >>> student_t = LAWS[3]
    >>> in_units(student_t, {"mu": 1.0, "s": 2.0, "nu": 5.0}, 10.0, 0.5)
    {'mu': 10.5, 's': 1.0, 'nu': 5.0}
    """
    converted = {}
    for name, value in p.items():
        if name in law.locations:
            value = value * scale + centre
        elif name not in law.shapes:
            value = value * scale
        converted[name] = float(value)
    return converted


def centre_of(law: Law, p: Params) -> float:
    """Centre of a symmetric law: the mean of its locations."""
    locations = [p[name] for name in law.locations]
    return sum(locations) / len(locations)
