"""When exact zeros are more than the law of the other weights explains."""

from __future__ import annotations

import numpy as np

from weightscope.statistics.elements.excess_zeros import excess_zeros


def test_more_than_a_hundredth_is_an_excess(counts_of):
    """Among fine cells."""
    x = np.random.default_rng(0).normal(size=1000)
    many, few = counts_of(np.append(x, np.zeros(500))), counts_of(np.append(x, np.zeros(10)))
    assert (excess_zeros(many), excess_zeros(few)) == (500, 0)


def test_zeros_of_a_lattice_stay(stored_as):
    """On a coarse lattice zero is a cell like its neighbours, unless weights were pruned."""
    x = np.random.default_rng(0).normal(0, 0.005, 50_000)
    assert not excess_zeros(stored_as(x, "F8_E4M3"))
    assert excess_zeros(stored_as(np.append(x, np.zeros(50_000)), "F8_E4M3"))
