"""Whether a change is a matrix of low rank, from a sample of its rows."""

from __future__ import annotations

from math import sqrt

from ...sketches.row_sample import SampledRows

SLACK = 2.0  # rounding varies from element to element: its largest singular value exceeds the edge
GAP = 4.0  # least energy of a change over the largest of rounding: spectra of trainings have no gap
EXACT = 1e-10  # share of the energy that products of float32 leave
FEWEST = 16  # changed rows and columns: of fewer a low rank means little


def is_low_rank(sample: SampledRows) -> bool | None:
    """Whether few singular values of D stand above rounding, and stand apart from it.

    Rounding of k x n elements has squared singular values up to R/k (1 + sqrt(k/n))^2, R its energy
    (Marchenko and Pastur 1967). A merged adapter of rank r has r values far above, up to half of
    the sampled rows; a training has values at all sizes. None where nothing changed, or where no
    gap lies between the change and rounding.
    """
    energies = sample.energies
    total = float(energies.sum())
    count = len(energies)
    if count < FEWEST or not total > 0:
        return None
    edge = sample.rounding / count * (1 + sqrt(count / sample.width)) ** 2
    limit = max(SLACK * edge, EXACT * total)
    rank = int((energies > GAP * limit).sum())
    if rank > count // 2:
        return False
    if rank == 0 or GAP * energies[rank] > energies[rank - 1] or energies[rank] > limit:
        return None
    return True
