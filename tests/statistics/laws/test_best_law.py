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


def test_filters_of_weights_without_their_centre_have_no_value(counts_of):
    """Three std of what pruning left are not three sigma of the law: beta would be 3.7 for 2."""
    x = np.random.default_rng(8).normal(size=4096)
    for share, kept in ((0.85, False), (0.0, True)):
        counts = counts_of(np.where(np.abs(x) < np.quantile(np.abs(x), share), 0.0, x))
        values = evaluate((BEST_LAW,), Evidence({Count(): counts}, None))
        names = ("filtered_beta", "filtered_beta_se", "filtered_std", "filtered_kurtosis")
        assert [values[name] is not None for name in names] == [kept] * 4
        assert ("centre-pruned" in [note.code for note in values["notes"]]) != kept
