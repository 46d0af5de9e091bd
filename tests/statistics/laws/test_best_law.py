"""Notes of the best law."""

from __future__ import annotations

import numpy as np

from tests.noted import told
from weightscope.sketches import Count
from weightscope.statistics.laws import BEST_LAW
from weightscope.statistics.statistic import Evidence, evaluate


def test_zeros_left_out_have_a_note(counts_of):
    """An excess of exact zeros is left out of the fits, and the note has the share."""
    half = np.concatenate((np.random.default_rng(0).standard_normal(2000), np.zeros(2000)))
    note = told(evaluate([BEST_LAW], Evidence({Count(): counts_of(half)}, None)))
    assert "50.0% exact zeros left out of the fits" in note
