"""The squared singular values that may follow a power law, and their fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .power_law import PowerLaw, power_law, tail_above
from .spectrum import Spectrum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...lazy import numpy as np

EVEN = 1e-5  # relative: squares of an orthogonal float32 matrix differ by less, 35 spacings at most


def tail_of(s: Spectrum, cut: float | None) -> NDArray[np.float64]:
    """Squares above an absolute `cut`; without one those of more than rounding. Ascending."""
    if cut is None:
        return tail_above(s.sigma[: s.rank] ** 2, None)
    return tail_above(s.above, cut)


def fit_of(s: Spectrum, tail: NDArray[np.float64]) -> PowerLaw | None:
    """The power law of a tail; None where its values are equal up to rounding."""
    if is_even(s, tail):
        return None
    return power_law(tail)


def is_even(s: Spectrum, tail: NDArray[np.float64]) -> bool:
    """Whether two or more values differ by no more than rounding, of method and stored type."""
    if len(tail) < 2:
        return False
    tolerance = max(EVEN, 2 * s.uncertain / float(s.sigma[0]))
    return bool(tail[-1] <= tail[0] * (1 + tolerance))
