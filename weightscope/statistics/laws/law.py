"""A law: one family of distributions that weights may follow, fitted by maximum likelihood on weighted points.

Laws of laws, run on every member by presence: the density integrates to 1, cdf' = pdf, ppf(cdf(x)) = x, logpdf and
cdf equal the twin's in scipy.stats, parameters come back from drawn samples, and shifting or scaling the weights moves
nothing but locations and scales. `fit` sees standard units (mean 0, std 1); `in_units` takes parameters back.
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
Twin = tuple[
    tuple[float, str, Params], ...
]  # a weighted sum of (share, name in scipy.stats, its arguments)

_LOCATIONS = frozenset({"mu", "lo", "hi"})
_SHAPES = frozenset({"nu", "beta", "w"})  # every other parameter is a scale


@dataclass(frozen=True)
class Fitted:
    """Parameters of greatest likelihood; `errors` holds standard errors of one weight (divide by sqrt N)."""

    params: Params
    at_bound: bool = False
    errors: Mapping[str, float] = field(default_factory=dict)


class Law(Protocol):
    """A family, symmetric about its centre; `parameters` counts the free ones for AIC and BIC."""

    @property
    def name(self) -> str:
        """The value of `best` and of the column `law`."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names, in the order of the formula."""

    @property
    def costly(self) -> bool:
        """Whether a cdf takes over 100 ns a point: then thousands of points go through a table."""

    @property
    def typical(self) -> tuple[Params, ...]:
        """Test ground: parameters as met in checkpoints."""

    def twin(self, p: Params) -> Twin:
        """The same law in scipy.stats."""

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


def in_units(p: Params, centre: float, scale: float) -> dict[str, float]:
    """Parameters of scale * X + centre, given those of X.

    >>> in_units({"mu": 1.0, "s": 2.0, "nu": 5.0}, 10.0, 0.5)
    {'mu': 10.5, 's': 1.0, 'nu': 5.0}
    """
    moved = {
        k: v * scale + centre if k in _LOCATIONS else v * scale
        for k, v in p.items()
        if k not in _SHAPES
    }
    return {k: float(moved.get(k, v)) for k, v in p.items()}


def centre_of(p: Params) -> float:
    """Centre of symmetry."""
    return p["mu"] if "mu" in p else (p["lo"] + p["hi"]) / 2
