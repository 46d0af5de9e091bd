"""Steps: cells of sampled weights that went through a quantiser, as wide as its steps there.

Counts of all weights do not show which step a value belongs to, where rows or groups have scales of
their own; a sample of rows does. Samples of several tensors stand for their weights together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST, MOST_OF_ZERO = 320, 64  # sampled weights: the fits divide their cells further
ARRAYS = ("value", "low", "high", "number", "exact", "rounding")
HELD = 16 * (MOST + MOST_OF_ZERO)  # of several tensors: of more, a quarter is kept


@dataclass(frozen=True, eq=False)
class Steps:
    """`value` (sampled weights,), each stored for everything between `low` and `high`.

    Each stands for `number` weights. A share `exact` of the weights with nearly this value set the
    scale of their group: these are stored for what is within `rounding` of them.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    number: NDArray[np.float64]
    exact: NDArray[np.float64]
    rounding: NDArray[np.float64]
    excess: float = 0.0  # share of the zeros that steps do not explain
    applied: bool = False  # whether the cells of the counts are these

    @property
    def zeros(self) -> float:
        """How many zeros they stand for."""
        return float(self.number[self.value == 0].sum())

    def __add__(self, other: Steps) -> Steps:
        """The sampled weights of both, and a quarter of 6,144 where they are more."""
        zeros = max(self.zeros + other.zeros, 1.0)
        excess = (self.excess * self.zeros + other.excess * other.zeros) / zeros
        arrays: dict[str, Any] = {
            name: np.concatenate((getattr(self, name), getattr(other, name))) for name in ARRAYS
        }
        both = replace(self, excess=excess, **arrays)
        if len(both.value) <= HELD:
            return both
        return fewer(both, 4 * MOST, 4 * MOST_OF_ZERO)


def of_cells(
    value: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> Steps:
    """Weights that went through no quantiser, in the cells of their type."""
    none = np.zeros(len(value))
    return fewer(Steps(value, low, high, counts.astype(np.float64), none, none), MOST, MOST_OF_ZERO)


def fewer(steps: Steps, others: int, zeros: int) -> Steps:
    """At most so many, evenly spaced by value, and so many of zero, by width."""
    order = np.lexsort((steps.high - steps.low, steps.value))
    is_zero = steps.value[order] == 0
    chosen = (
        _some(order[~is_zero], steps.number, others),
        _some(order[is_zero], steps.number, zeros),
    )
    at = np.concatenate([positions for positions, _ in chosen])
    arrays = {name: getattr(steps, name)[at] for name in ARRAYS}
    arrays["number"] = np.concatenate([each for _, each in chosen])
    return replace(steps, **arrays)


def _some(
    order: NDArray[np.intp], number: NDArray[np.float64], most: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Positions in the middle of equal shares of the weights, and how many each stands for."""
    if len(order) <= most:
        return order, number[order]
    upto = np.cumsum(number[order])
    middles = (np.arange(most) + 0.5) * (upto[-1] / most)
    at = np.minimum(np.searchsorted(upto, middles, "right"), len(order) - 1)
    return order[at], np.full(most, upto[-1] / most)
