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
    rotated: int = 0  # of them


def relation(facts: Iterable[Facts]) -> Relation | None:
    """related from a median cosine of 0.1 on, undecided from 0.03 on, else unrelated.

    related too where most matrices are rotated. None where no pair of matrices has a cosine.
    """
    matrices = [f for f in facts if f.is_matrix]
    cosines = [f.cosine for f in matrices if f.cosine is not None]
    if not cosines:
        return None
    middle = median(cosines)
    rotated = sum(f.is_rotated for f in matrices)
    name = "unrelated"
    if middle >= RELATED or 2 * rotated > len(cosines):
        name = "related"
    elif middle >= UNDECIDED:
        name = "undecided"
    return Relation(name, middle, len(cosines), rotated)
