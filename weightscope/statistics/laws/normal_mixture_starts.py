"""Starts of the mixture's ascents: of few weights the likelihood has a maximum at every cluster.

A window of consecutive weights with share m, mean mu and variance v1 as the narrow part, all others
as the wide part, of variance v2 about mu, has the log-likelihood of a mixture of known parts,

    m (ln m - ln(v1)/2) + (1 - m) (ln(1 - m) - ln(v2)/2) - 1/2, without ln(2 pi)/2:

less than that of the mixture, and large where an ascent ends high.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

    Start = tuple[float, float, float, float]  # mu, w, v1, v2
    Scored = tuple[float, Start]

GROWTH = 1.3  # of the sizes of windows, in points
PER_SIZE = 2  # windows of each size
MOST = 8  # starts
WIDE = 1e-3  # variance of the wide part, at least


def likeliest_windows(cells: Cells, least: float) -> list[Start]:
    """Starts at the likeliest windows of points; v1 is at least `least`."""
    z, p = cells.z, cells.p
    order = np.argsort(z)
    z, p = z[order], p[order]
    sums = [np.concatenate(([0.0], np.cumsum(p * z**power))) for power in (0, 1, 2)]
    scored = []
    for size in _sizes(len(z)):
        scored += _of_size(z, sums, size, least)
    scored.sort(reverse=True)
    return [start for _, start in scored[:MOST]]


def _sizes(points: int) -> list[int]:
    """1, 2, 3, ... and then by factors, below the number of points."""
    sizes = []
    size = 1
    while size < points:
        sizes.append(size)
        size = max(size + 1, int(size * GROWTH))
    return sizes


def _of_size(
    z: NDArray[np.float64], sums: list[NDArray[np.float64]], size: int, least: float
) -> list[Scored]:
    """The likeliest windows of so many points."""
    m, first, second = (total[size:] - total[:-size] for total in sums)
    mu = first / m
    if size == 1:
        mu = z
    within = np.maximum(second / m - mu * mu, 0.0)
    v1 = np.maximum(within, least)
    rest = np.maximum(1 - m, 1e-9)
    about = sums[2][-1] - 2 * mu * sums[1][-1] + mu * mu
    v2 = np.maximum((about - m * within) / rest, WIDE)
    value = m * (np.log(m) - np.log(v1) / 2) + rest * (np.log(rest) - np.log(v2) / 2)
    best = np.argsort(value)[-PER_SIZE:]
    return [
        (float(value[i]), (float(mu[i]), float(m[i]), float(v1[i]), float(v2[i]))) for i in best
    ]
