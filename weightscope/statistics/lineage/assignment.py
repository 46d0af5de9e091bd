"""Which neuron of A each neuron of B is, by linear assignment, and whether that beats chance.

Neurons of a feed-forward network may be permuted without any change of its outputs. The assignment
is taken of all matrices of the neurons together (`neuron_cosines`); cosines of unrelated neurons
that were matched are far from 0, so that each number has its null.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .matched_share import matched_share
from .matching_null import best_pairs, matched_cosine_null
from .slices import LEAST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.intp]

MOST = 16_384  # neurons: the time of an assignment grows with their third power
FEWEST = 64  # neurons: of 32 unrelated ones the ratio to the null varies by 4%
OVER_NULL = 1.2


@dataclass(frozen=True, eq=False)
class Assignment:
    """`of_a` (f_b,): the neuron of A that each neuron of B was matched with, -1 for none.

    `cosine` is the mean of the matched pairs, `null` that of unrelated neurons, `share` the
    estimated share of right pairs, `moved` the share of pairs with different places, `in_place` the
    mean cosine of neurons of one place.
    """

    of_a: NDArray[np.intp]
    cosine: float
    null: float
    share: float
    moved: float
    in_place: float = 0.0

    @property
    def matched(self) -> bool:
        """Whether B has the neurons of A: cosine >= 0.15 and >= 1.2 times the null."""
        if np.count_nonzero(self.of_a >= 0) < FEWEST:
            return False
        return self.cosine >= LEAST and self.cosine >= OVER_NULL * self.null

    @property
    def permuted(self) -> bool:
        """Whether B has the neurons of A in another order.

        Of neurons in place with the cosine c, the best pairs reach up to sqrt(c^2 + null^2).
        """
        if not self.matched or not self.moved:
            return False
        return self.cosine > hypot(max(self.in_place, 0.0), self.null)


def too_many(neurons_a: int, neurons_b: int) -> bool:
    """Whether there are more neurons than an assignment is made of.

    >>> too_many(16384, 16384), too_many(16384, 16385)
    (False, True)
    """
    return max(neurons_a, neurons_b) > MOST


def assignment(cosines: NDArray[np.floating]) -> Assignment | None:
    """The assignment of neurons with the largest sum of cosines, (f_a, f_b).

    None above 16,384 neurons, and without any. Of unequal numbers, the smaller one is matched.
    Neurons of cosine 0 with all others (zeros) have no partner: their order would be an accident.
    Equals scipy.optimize.linear_sum_assignment. Source: Ainsworth, Hayase, Srinivasa, Git Re-Basin
    (ICLR 2023).

    >>> import numpy as np
    >>> assignment(np.array([[0.1, 0.9], [0.8, 0.2]])).of_a.tolist()
    [1, 0]
    """
    height, width = cosines.shape
    if not height or not width or too_many(height, width):
        return None
    rows, columns = _best_live_pairs(cosines)
    if not len(rows):
        return None
    of_a = np.full(width, -1)
    of_a[columns] = rows
    cosine = float(cosines[rows, columns].mean(dtype=np.float64))
    null = matched_cosine_null(cosines, rows, columns)
    return Assignment(
        of_a=of_a,
        cosine=cosine,
        null=null,
        share=matched_share(cosines, rows, columns, cosine, null),
        moved=float((rows != columns).mean()),
        in_place=float(np.diagonal(cosines).mean(dtype=np.float64)),
    )


def _best_live_pairs(cosines: NDArray[np.floating]) -> tuple[Places, Places]:
    """Rows and columns of the assignment of neurons that are not zero."""
    live_rows = np.flatnonzero(cosines.any(1))
    live_columns = np.flatnonzero(cosines.any(0))
    if cosines.shape == (len(live_rows), len(live_columns)):
        return best_pairs(cosines)
    rows, columns = best_pairs(cosines[np.ix_(live_rows, live_columns)])
    return live_rows[rows], live_columns[columns]
