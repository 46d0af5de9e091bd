"""Whether B is A rotated: the singular values of A in a matrix that points elsewhere.

Rotations of the residual stream keep singular values and leave no element alike. Independent
matrices of one law have nearly equal singular values too: of 4,096 x 4,096 Gaussian ones they
differ by 0.003 of the largest. But each is displaced by about its distance to the next, at every
size, where a rotation leaves the rounding of the stored type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NEAR = 1e-3  # difference of singular values over the largest
NEAR_ZERO = 0.15  # |cosine|: from here on other rules pair the elements
DISPLACED = (
    0.2  # least of independent pairs: 0.33 at 16 values, 0.49 at 64, 0.68 at 256, 1.1 at 1024
)
CENTRAL = 0.1  # share of the values that is left out at either end
FLAT = 0.01  # range of the central values over the largest: of orthogonal matrices it is 0
FLOOR = 1e-3  # of the largest: values below are rounding
FEWEST = 16  # singular values


@dataclass(frozen=True)
class SpectrumDistance:
    """How far the singular values of B are from those of A.

    `largest` is the largest difference over the largest value; `displacement` the mean difference
    over the mean distance of neighbours, about 0.8 to 1.1 for independent matrices of one law. None
    for fewer than 16 values, and for equal ones, as orthogonal matrices have.
    """

    largest: float
    displacement: float | None
    cosine: float

    @property
    def rotated(self) -> bool:
        """Equal singular values, a displacement below 0.2, and |cosine| below 0.15.

        A permutation of neurons is a rotation too: look for it first.
        """
        if self.displacement is None or abs(self.cosine) >= NEAR_ZERO:
            return False
        return self.largest <= NEAR and self.displacement < DISPLACED


def spectrum_distance(a: Floats, b: Floats, cosine: float) -> SpectrumDistance | None:
    """The distance of singular values (r,) and (r,), in any order, of matrices with this cosine.

    largest = max_k |a_k - b_k| / max(a_1, b_1) of descending values. displacement =
    sum |a_k - b_k| / (a_first - a_last) over the central 80% of the values above 0.001 a_1: the sum
    of the distances of neighbours is their range. For independent Gaussian matrices displacements
    grow with sqrt(log r)/pi only (Gustavsson 2005). None for unequal numbers, without any value,
    and where one is not finite or all are 0.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((64, 64))
    >>> turned = x @ np.linalg.qr(x.T)[0]
    >>> spectra = [np.linalg.svd(matrix, compute_uv=False) for matrix in (x, turned)]
    >>> spectrum_distance(*spectra, 0.0).rotated
    True
    """
    if len(a) != len(b) or not len(a):
        return None
    first = np.sort(a)[::-1].astype(np.float64)
    second = np.sort(b)[::-1].astype(np.float64)
    scale = float(max(first[0], second[0]))
    if not np.isfinite(first).all() or not np.isfinite(second).all() or not scale > 0:
        return None
    first, second = first / scale, second / scale
    largest = float(np.abs(first - second).max())
    return SpectrumDistance(largest, _displacement(first, second), cosine)


def _displacement(first: Floats, second: Floats) -> float | None:
    """The mean difference of central values over their mean distance to the next."""
    count = int((np.minimum(first, second) > FLOOR).sum())
    if count < FEWEST:
        return None
    skipped = int(CENTRAL * count)
    central = slice(skipped, count - skipped)
    extent = float(first[central][0] - first[central][-1])
    if extent < FLAT:
        return None
    return float(np.abs(first - second)[central].sum()) / extent
