"""Steps: cells of sampled weights that went through a quantiser, as wide as its steps there.

Counts of all weights do not show which step a value belongs to, where rows or groups have scales of
their own; a sample of rows does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..lazy import numpy as np


@dataclass(frozen=True, eq=False)
class Steps:
    """`value` (sampled weights,), each stored for everything between `low` and `high`.

    A share `exact` of the weights with nearly this value set the scale of their group: these are
    stored for what is within `rounding` of them.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    exact: NDArray[np.float64]
    rounding: NDArray[np.float64]
    excess: float = 0.0  # share of the zeros that steps do not explain
    applied: bool = False  # whether the cells of the counts are these
