"""Means over a few seeds with intervals from resamples of the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENDS = (2.5, 97.5)  # percentiles: a 95% interval


@dataclass(frozen=True)
class Resamples:
    """`draws` resamples of `count` seeds with replacement: the same for every column."""

    count: int
    draws: int
    seed: int

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """(draws, count): the share of each seed in each resample."""
        rng = np.random.default_rng(self.seed)
        chosen = rng.integers(self.count, size=(self.draws, self.count))
        shares = np.zeros((self.draws, self.count))
        rows = np.repeat(np.arange(self.draws), self.count)
        np.add.at(shares, (rows, chosen.ravel()), 1 / self.count)
        return shares

    def intervals(self, values: Sequence[Sequence[float]]) -> list[tuple[float, float, float]]:
        """(mean, 2.5% and 97.5% points of the means of the resamples) of each row of values.

        values: (columns, count), float64. The percentile bootstrap: equals scipy.stats.bootstrap
        with method="percentile" up to its random numbers.

        >>> Resamples(3, 100, 0).intervals([[2.0, 2.0, 2.0]])
        [(2.0, 2.0, 2.0)]
        """
        if not values:
            return []
        of_seeds = np.asarray(values, np.float64)
        means = self.shares @ of_seeds.T
        low, high = np.percentile(means, ENDS, axis=0)
        # rounding may put the mean of equal values beside their interval
        least, most = of_seeds.min(1), of_seeds.max(1)
        centre = np.clip(of_seeds.mean(1), least, most)
        ends = zip(np.clip(low, least, most), np.clip(high, least, most), strict=True)
        return [
            (float(mean), float(first), float(last))
            for mean, (first, last) in zip(centre, ends, strict=True)
        ]
