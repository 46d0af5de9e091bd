"""The largest |z| by the tail: above that of heavy noise, below a planted weight."""

from __future__ import annotations

import numpy as np

from weightscope.statistics.elements.largest_z import max_z
from weightscope.statistics.elements.tail_z import tail_z


def test_heavy_noise_is_below_and_a_planted_weight_above(counts_of):
    """20 draws of 4,096 t(5) elements; one Gaussian weight at 30 standard deviations."""
    random = np.random.default_rng(8)
    noise = [counts_of(random.standard_t(5, 4096)) for _ in range(20)]
    assert all(max_z(counts) < tail_z(counts) for counts in noise)
    planted = random.standard_normal(4096)
    planted[7] = 30
    counts = counts_of(planted)
    assert max_z(counts) > tail_z(counts)


def test_few_weights_and_mostly_equal_ones_have_no_tail(counts_of):
    """Below 200 weights, and where the tail is at the mean."""
    assert tail_z(counts_of(np.arange(199.0))) is None
    sparse = np.zeros(1000)
    sparse[:2] = (1, -1)
    assert tail_z(counts_of(sparse)) is None
