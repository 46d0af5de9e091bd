"""What stands far out: counts beyond k std beside a Gaussian's, the largest z, and the core that is left without it."""

from __future__ import annotations

from math import exp, isfinite, pi, sqrt
from typing import TYPE_CHECKING

from ..heavy import special
from ..sketches.beyond import ROBUST, SIGMAS
from .nulls import max_z_null
from .pattern import max_z

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..sketches import Crossings


def beyond(found: Crossings) -> Mapping[str, object]:
    """`beyond_k` = count of |w - mean| > k std, `beyond_k_ratio` = its share over a Gaussian's, k = 3, 4, 5, 6."""
    values: dict[str, object] = {}
    for i, k in enumerate(SIGMAS):
        count = found.beyond[i] if found.beyond and found.counts.n else None
        values[f"beyond_{k}"] = count
        values[f"beyond_{k}_ratio"] = None if count is None else count / found.counts.n / gaussian_share(k)
    return values


def gaussian_share(k: float) -> float:
    """Share of a Gaussian further than k std from its mean: erfc(k/sqrt 2).

    >>> f"{gaussian_share(3):.4g}, {gaussian_share(6):.4g}"
    '0.0027, 1.973e-09'
    """
    return float(special.erfc(k / sqrt(2)))


def farthest(found: Crossings) -> Mapping[str, object]:
    """`max_z` = max |w - mean|/std beside `max_z_null` = E max |z| of as many Gaussians."""
    z = max_z(found.counts)
    return {"max_z": z, "max_z_null": None if z is None else max_z_null(found.counts.n)}


def core(found: Crossings) -> Mapping[str, object]:
    """`core_share` within 4 robust std of the median; `core_std`, its std over that of a Gaussian cut at 4 sigma.

    arXiv 2501.10661 takes optimal weights for such a truncated Gaussian and few outliers.
    """
    if found.core is None or not found.core.n:
        return {"core_share": None, "core_std": None}
    std = found.core.std / truncated_std(ROBUST)
    return {"core_share": found.core.n / found.counts.n, "core_std": std if isfinite(std) else None}


def truncated_std(cut: float) -> float:
    """Std of a standard Gaussian cut at +-cut: sqrt(1 - 2 cut phi(cut)/(2 Phi(cut) - 1)).

    >>> round(truncated_std(3), 5)
    0.98658
    """
    density = exp(-cut * cut / 2) / sqrt(2 * pi)
    return sqrt(1 - 2 * cut * density / (1 - gaussian_share(cut)))
