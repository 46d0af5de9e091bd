"""Simulation of `effective_depth`: `python -m weightscope.statistics.spectra.reference.build`.

Writes `residual_product.npy` beside itself: mean log singular values of P_L for every aspect ratio
and depth of `effective_depth.py`, over seeded random walks. About four minutes on one CPU core; on
other machines the last bits may differ. Short sides have at least 64 values, also where that makes
the long side longer than 512: the depths of 512 x 8 would scatter by a fifth of a step (L = 1 to 2)
more than those of 4096 x 64, of the same ratio.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import TYPE_CHECKING

from ....lazy import numpy as np
from ..effective_depth import ASPECTS, DEPTHS, TABLE, log_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 512  # geometric mean of the sides: 2^18 elements
SHORTEST = 64
VALUES = 1024  # per entry, over at least 8 random walks
SEED = 20250101


def singular_values(
    m: int, n: int, depths: Sequence[int], seed: Sequence[int]
) -> Iterator[NDArray[np.float64]]:
    """Descending singular values of P_L for each L of `depths` (ascending), m >= n, of one walk.

    A X = (A Q) R with X = Q R, and A Q is m x n Gaussian as A is: m n random numbers for a step,
    not m m.
    """
    random = np.random.default_rng(seed)
    start = np.eye(m, n)
    X = start
    for depth in range(1, max(depths) + 1):
        AQ = random.standard_normal((m, n)) / sqrt(m)
        R = np.linalg.qr(X, mode="r")
        X = X + AQ @ R
        if depth in depths:
            yield np.linalg.svd(X - start, compute_uv=False)


def entry(aspect: float, depths: Sequence[int] = DEPTHS) -> NDArray[np.float64]:
    """Mean log shares at one aspect, (depths, shares); fewer depths return the same rows."""
    m, n = shape(aspect)
    walks = []
    for walk in range(max(8, VALUES // n)):
        spectra = singular_values(m, n, depths, (SEED, m, n, walk))
        walks.append([log_shares(sigma) for sigma in spectra])
    return np.asarray(np.mean(walks, axis=0))


def shape(aspect: float) -> tuple[int, int]:
    """Sides m >= n with sqrt(n/m) of about `aspect`.

    >>> shape(1.0), shape(0.5), shape(0.125)
    ((512, 512), (1024, 256), (4096, 64))
    """
    n = max(SHORTEST, round(SIDE * aspect))
    return round(n / aspect**2), n


def main() -> None:
    """Simulate every entry and write the table."""
    entries = []
    for aspect in ASPECTS:
        print(f"{aspect:g}: {shape(aspect)}", flush=True)
        entries.append(entry(aspect))
    np.save(TABLE, np.array(entries, np.float32))


if __name__ == "__main__":
    main()
