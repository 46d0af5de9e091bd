"""Layers of one model that are equal, or equal but for a matrix of low rank.

Recursive models use the same block several times, some with a low-rank rest of each layer. The
difference of two such layers has a low rank, and so has every part of it: a sample of rows and
columns tells it from the full rank of unrelated layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...sketches.row_sample import FRACTION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Samples = NDArray[np.float64]

COLUMNS = 128  # of a sample: a decomposition of 64 x 128 takes 1 ms
FINEST = 44  # bits: float64 weights have rounding of the products that they are sums of
FEWEST = 16  # rows and columns of a sample: of fewer a low rank means little


@dataclass(frozen=True)
class Tie:
    """Layers that are equal up to a rest of each one, of these ranks; 0 for equal layers.

    The rest of two layers is that of the second: from their difference no one can tell whose it is.
    """

    layers: tuple[int, ...]
    ranks: tuple[int, ...]

    @property
    def equal(self) -> bool:
        """Whether no layer has a rest."""
        return not any(self.ranks)


def tied(samples: Floats, layers: Sequence[int], dtypes: Sequence[str]) -> tuple[Tie, ...]:
    """Groups of layers with differences of rank up to half the sample, from rows (L, k, n).

    `layers` and `dtypes` are the index and the stored type of each sample. The rank of a difference
    is that of `difference_rank`. Layers i, j, k of one group have ranks of differences r_i + r_j,
    so that r_i = (r_ij + r_ik - r_jk)/2; a rest of more than a quarter of the sampled rows is not
    seen. A layer belongs to the first group with whose first layer it is tied. Source: Bae et al.,
    Relaxed Recursive Transformers (ICLR 2025).

    >>> import numpy as np
    >>> rows = np.random.default_rng(0).standard_normal((2, 64, 64))
    >>> tied(rows[[0, 1, 0]], (0, 1, 2), ("F32",) * 3)
    (Tie(layers=(0, 2), ranks=(0, 0)),)
    """
    finite = np.isfinite(samples).all((1, 2))
    narrow = _columns(samples)
    most = min(narrow.shape[1:]) // 2
    if most < FEWEST // 2:
        return ()
    groups: list[list[int]] = []
    for i in np.flatnonzero(finite).tolist():
        if narrow[i].min() == narrow[i].max():  # zeros, or gains before training
            continue
        for group in groups:
            rank = difference_rank(narrow[group[0]], narrow[i], dtypes[group[0]], dtypes[i])
            if rank <= most:
                group.append(i)
                break
        else:
            groups.append([i])
    ties = []
    for group in groups:
        if len(group) > 1:
            ranks = _rests([narrow[i] for i in group], [dtypes[i] for i in group])
            ties.append(Tie(tuple(layers[i] for i in group), ranks))
    return tuple(ties)


def difference_rank(a: Samples, b: Samples, dtype_a: str, dtype_b: str) -> int:
    """Singular values of B - A (m, n) above (eps/2) rms (sqrt(m) + sqrt(n)), 0 of equal matrices.

    eps rms is the larger of the spacing of the stored type times the RMS of A, and that of B: about
    twice the spectral norm of the rounding. Types without a fraction count as float32.

    >>> import numpy as np
    >>> a = np.random.default_rng(0).standard_normal((64, 64))
    >>> difference_rank(a, a + np.outer(a[0], a[1]), "F32", "F32")
    1
    """
    difference = b - a
    if not difference.any():
        return 0
    rounding = max(_spacing(a, dtype_a), _spacing(b, dtype_b))
    m, n = a.shape
    threshold = rounding / 2 * (sqrt(m) + sqrt(n))
    values = np.linalg.svd(difference, compute_uv=False)
    return int((values > threshold).sum())


def spacing_bits(dtype: str) -> int:
    """Bits of the fraction of a stored type; of one without a fraction those of float32.

    >>> spacing_bits("BF16"), spacing_bits("I8")
    (7, 23)
    """
    return min(FRACTION.get(dtype, FRACTION["F32"]), FINEST)


def _spacing(x: Samples, dtype: str) -> float:
    """eps of the stored type times the RMS of the elements."""
    eps = 2.0 ** -spacing_bits(dtype)
    return eps * float(np.sqrt(np.mean(np.square(x))))


def _columns(samples: Floats) -> Samples:
    """At most 128 evenly spaced columns, the largest element 1, so that no square overflows."""
    step = max(1, -(-samples.shape[2] // COLUMNS))
    narrow = samples[:, :, ::step].astype(np.float64)
    finite = np.where(np.isfinite(narrow), np.abs(narrow), 0.0)
    largest = float(finite.max(initial=0.0))
    if largest > 0:
        narrow /= largest
    return narrow


def _rests(samples: Sequence[Samples], dtypes: Sequence[str]) -> tuple[int, ...]:
    """The rank of the rest of each layer of a group, from the ranks of three differences."""
    count = len(samples)

    def between(i: int, j: int) -> int:
        return difference_rank(samples[i], samples[j], dtypes[i], dtypes[j])

    to_first = [between(0, i) for i in range(1, count)]
    if count == 2:
        return (0, to_first[0])
    of_first = max(0, round((to_first[0] + to_first[1] - between(1, 2)) / 2))
    rests = [max(0, rank - of_first) for rank in to_first]
    return (of_first, *rests)
