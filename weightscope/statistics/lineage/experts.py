"""Experts that were copied or cut from the feed-forward layer of a dense model.

A copied expert is the dense layer. With granularity G the neurons of the dense layer are cut into G
shards, and expert e begins as shard e mod G: experts e and e + G are equal. Router rows are then
equal modulo G as well. All of it is seen in the same rows (neurons) of each expert and each shard.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .slices import AHEAD, LEAST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

DEVIATIONS = 5.0  # of the cosine of unrelated vectors, 1/sqrt(elements)


@dataclass(frozen=True)
class ExpertRule:
    """Experts are equal modulo `granularity`: 1 is copied, more is sharded.

    `cosine` is the mean of the pairs that the rule makes equal, `runner_up` the largest mean of
    other pairs.
    """

    granularity: int
    cosine: float
    runner_up: float

    @property
    def name(self) -> str:
        """`copied` or `sharded`."""
        if self.granularity == 1:
            return "copied"
        return "sharded"


def set_cosines(one: Floats, other: Floats) -> NDArray[np.float64]:
    """(E, G) cosines of sets of rows, (E, k, n) and (G, k, n), each set as one vector.

    0 where a set is zero; NaN and Inf count as 0.

    >>> import numpy as np
    >>> set_cosines(np.ones((2, 3, 4)), -np.ones((1, 3, 4))).round(6).tolist()
    [[-1.0], [-1.0]]
    """
    return _unit(one) @ _unit(other).T


def from_dense(experts: Floats, shards: Floats) -> ExpertRule | None:
    """The rule that made experts (E, k, n) from shards of a dense layer (G, k, n); None for none.

    G is the width of the dense layer over that of an expert, and row i of shard s is row
    s f + i of the dense layer, where f is the width of an expert. The mean cosine of expert e with
    shard e mod G must be 0.15 at least, 5 standard deviations of that of unrelated rows, and twice
    that of the next shards e + 1, e + 2, ... mod G and of other rows of the same shards. None
    below 2 rows. Source: Komatsuzaki et al., Sparse Upcycling (ICLR 2023); He et al., Upcycling
    Large Language Models into Mixture of Experts (2024), for granularity.

    >>> import numpy as np
    >>> shards = np.random.default_rng(0).standard_normal((2, 8, 16))
    >>> from_dense(np.concatenate([shards, shards]), shards).granularity
    2
    """
    if not experts.size or not shards.size or experts.shape[1] < 2:
        return None
    granularity = len(shards)
    means = _by_offset(set_cosines(experts, shards))
    shifted = _by_offset(set_cosines(experts, _shifted(shards)))
    runner_up = max([shifted[0], *means[1:]])
    elements = experts.size  # that the mean over all experts is of
    return _rule(granularity, means[0], runner_up, elements)


def among_experts(experts: Floats) -> ExpertRule | None:
    """The rule that makes experts (E, k, n), or rows of a router (E, 1, n), equal to each other.

    The mean cosine of experts e and e + d is large for every distance d that G divides, as
    `from_dense` says, beside all other distances and other rows of the same experts; the least such
    G up to E/2. None for no G. Router rows have no other rows: G is 2 at least for these. Noise of
    s times the weights leaves cosines 1/(1 + s^2): 0.99 for 0.1, 0.50 for 1, 0.10 for 3, which is
    too small here and 0.32 beside the dense layer.

    >>> import numpy as np
    >>> shards = np.random.default_rng(0).standard_normal((2, 8, 16))
    >>> among_experts(np.concatenate([shards, shards])).name
    'sharded'
    """
    if not experts.size:
        return None
    count, rows, columns = experts.shape
    means = _by_distance(set_cosines(experts, experts))
    shifted = [0.0] * len(means)
    if rows > 1:
        shifted = _by_distance(set_cosines(experts, _shifted(experts)))
    least_granularity = 1 if rows > 1 else 2
    for granularity in range(least_granularity, count // 2 + 1):
        equal = means[granularity - 1 :: granularity]
        others = shifted[granularity - 1 :: granularity]
        for distance, mean in enumerate(means, start=1):
            if distance % granularity:
                others.append(mean)
        pairs = sum(count - distance for distance in range(granularity, count, granularity))
        mean = float(np.mean(equal))
        rule = _rule(granularity, mean, max(others), pairs * rows * columns)
        if rule is not None and min(equal) >= LEAST:
            return rule
    return None


def _by_offset(cosines: NDArray[np.float64]) -> list[float]:
    """The mean cosine of expert e with shard e + d mod G, for d = 0, 1, ..., G - 1."""
    count, granularity = cosines.shape
    expert = np.arange(count)
    means = []
    for offset in range(granularity):
        shard = (expert + offset) % granularity
        means.append(float(cosines[expert, shard].mean()))
    return means


def _by_distance(cosines: NDArray[np.float64]) -> list[float]:
    """The mean cosine of experts e and e + d, for d = 1, 2, ..., E - 1."""
    return [float(np.diagonal(cosines, distance).mean()) for distance in range(1, len(cosines))]


def _shifted(sets: Floats) -> Floats:
    """Each row beside another row of the same set: what they share is a common direction alone."""
    return np.roll(sets, 1, axis=1)


def _rule(granularity: int, cosine: float, runner_up: float, elements: int) -> ExpertRule | None:
    """The rule, if its cosine is large, beyond chance and far above the next."""
    chance = DEVIATIONS / sqrt(elements)
    if cosine < max(LEAST, chance, AHEAD * runner_up):
        return None
    return ExpertRule(granularity, cosine, max(runner_up, 0.0))


def _unit(sets: Floats) -> NDArray[np.float64]:
    """(E, k n) vectors of length 1, or 0. Division by the largest element saves their squares."""
    vectors = sets.reshape(len(sets), -1).astype(np.float64)
    vectors = np.nan_to_num(vectors, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    largest = np.abs(vectors).max(1, keepdims=True, initial=0.0)
    vectors /= np.where(largest > 0, largest, 1.0)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(lengths > 0, lengths, 1.0)
    return vectors
