"""Whether B is made from A: the median cosine of matrices and convolutions.

Equal names and shapes prove nothing, and neither do bit-equal buffers or norm gains: look-alike
pairs of independent trainings have median cosines within 0.03 of 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from .facts import Facts

RELATED, UNDECIDED = 0.1, 0.03


@dataclass(frozen=True)
class Relation:
    """related, undecided or unrelated, with the median cosine and the number of matrices."""

    name: str
    cosine: float
    matrices: int


def relation(facts: Iterable[Facts]) -> Relation | None:
    """related from a median cosine of 0.1 on, undecided from 0.03 on, else unrelated.

    None where no pair of matrices has a cosine.
    """
    cosines = [f.cosine for f in facts if f.is_matrix and f.cosine is not None]
    if not cosines:
        return None
    middle = median(cosines)
    name = "unrelated"
    if middle >= RELATED:
        name = "related"
    elif middle >= UNDECIDED:
        name = "undecided"
    return Relation(name, middle, len(cosines))
