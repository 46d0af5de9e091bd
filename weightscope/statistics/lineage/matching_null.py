"""The mean cosine of matched neurons of unrelated models, which is not 0.

An assignment takes the best partner for each neuron: 0.283 for 384 Gaussian neurons of 96
elements, 0.194 for 1,024 of 256, 0.124 for 3,072 of 768. Permuting the elements of each row of A
gives this number at the cost of a second product of A and B. Mixing the neurons of A by a random
rotation gives it from the products that exist: a mixture of neurons of A is a vector of the same
distribution with no partner in B. Both agree to 1% (tests, and 0.194 for both on GPT-6).
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from ...lazy import fft, optimize
from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Places = NDArray[np.intp]

SEED = 0
SAMPLE = 1024  # neurons of the sample that the null is taken of: 0.05 s instead of 1 s
ENOUGH = 512  # matched neurons, of all draws together
# The mean of n matched standard normal numbers, n = 8, 16, ..., 4096 (numpy's PCG64, seed 0).
LARGEST = (1.200, 1.548, 1.879, 2.173, 2.438, 2.684, 2.907, 3.116, 3.315, 3.511)


def best_pairs(cosines: Floats) -> tuple[Places, Places]:
    """Rows and columns of the assignment with the largest sum (scipy.optimize).

    Of min(f_a, f_b) pairs; scipy holds the (f_a, f_b) cosines once more in float64.
    """
    rows, columns = optimize.linear_sum_assignment(cosines, maximize=True)
    return rows, columns


def matched_cosine_null(cosines: Floats, rows: Places, columns: Places) -> float:
    """The mean cosine of matched neurons after the neurons of A have been mixed.

    C' = Q C with Q = D^T S D: D is the discrete cosine transform, S random signs with +1 for the
    first, so that Q is orthogonal and keeps the mean of the neurons. Where the matched pairs
    (`rows` and `columns` of `cosines`, (f_a, f_b)) have a mean cosine c above the null t, they have
    something in common that Q spreads over all pairs: it is taken again after sqrt(c^2 - t^2) was
    subtracted from these. Of more than 1,024 neurons a sample is matched, and the result multiplied
    by the ratio of the means of n and of 1,024 matched normal numbers.

    >>> import numpy as np
    >>> x, y = np.random.default_rng(0).standard_normal((2, 384, 96)) / 96**0.5
    >>> 0.27 < matched_cosine_null(x @ y.T, *best_pairs(x @ y.T)) < 0.30
    True
    """
    count = len(rows)
    if not count:
        return 0.0
    rng = np.random.default_rng(SEED)
    sampled, matched = _sampled(cosines, rows, columns, rng)
    factor = expected_largest(count) / expected_largest(min(sampled.shape))
    null = factor * _mean_of_mixed(sampled, rng)
    cosine = float(cosines[rows, columns].mean(dtype=np.float64))
    if cosine <= null:
        return null
    common = sqrt(cosine * cosine - null * null)
    sampled[matched] -= common
    return factor * _mean_of_mixed(sampled, rng)


def expected_largest(n: int) -> float:
    """The mean of the n matched entries of an (n, n) matrix of standard normal numbers.

    Interpolated between powers of 2, and continued beyond 4,096 with the last increase.

    >>> expected_largest(1024)
    3.116
    """
    octaves = np.log2(max(n, 8)) - 3
    last = len(LARGEST) - 1
    if octaves > last:
        return float(LARGEST[last] + (octaves - last) * (LARGEST[last] - LARGEST[last - 1]))
    return float(np.interp(octaves, range(last + 1), LARGEST))


def _sampled(
    cosines: Floats, rows: Places, columns: Places, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.bool_]]:
    """A copy for all neurons or a sample, and which of its pairs were matched."""
    partner = np.full(len(cosines), -1)
    partner[rows] = columns
    height, width = cosines.shape
    share = min(1.0, SAMPLE / len(rows))
    chosen_rows = rng.choice(height, round(share * height), replace=False)
    chosen_columns = rng.choice(width, round(share * width), replace=False)
    sampled = cosines[np.ix_(chosen_rows, chosen_columns)]
    matched = partner[chosen_rows][:, None] == chosen_columns
    return sampled, matched


def _mean_of_mixed(cosines: Floats, rng: np.random.Generator) -> float:
    """The mean of the pairs that match best among mixed neurons, over some draws."""
    means = []
    for _ in range(-(-ENOUGH // min(cosines.shape))):
        mixed = _mixed(cosines, rng)
        pairs = best_pairs(mixed)
        means.append(float(mixed[pairs].mean(dtype=np.float64)))
    return float(np.mean(means))


def _mixed(cosines: Floats, rng: np.random.Generator) -> Floats:
    """The rows rotated at random about their mean."""
    signs = rng.choice(np.array([-1.0, 1.0], cosines.dtype), len(cosines))
    signs[0] = 1
    transformed = fft.dct(cosines, axis=0, norm="ortho")
    transformed *= signs[:, None]
    mixed: Floats = fft.idct(transformed, axis=0, norm="ortho")
    return mixed
