"""The search of a least value: each step is that of scipy's Nelder-Mead."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import numpy as np
import pytest
from scipy import optimize

from weightscope.statistics.laws.simplex import least

STEP = 0.1


def _valley(at):
    return sum(100 * (y - x * x) ** 2 + (1 - x) ** 2 for x, y in pairwise(at))


def _bowl(at):
    return sum((i + 1) * (x - 0.3) ** 2 for i, x in enumerate(at))


def _walled(at):
    """Nothing beyond walls, flat floors within: costs are often equal."""
    return inf if max(at) > 1.25 else sum(round(abs(x), 1) for x in at)


@pytest.mark.parametrize(
    ("cost", "first", "close"),
    [
        (_bowl, [2.0], 1e-8),
        (_bowl, [1.0, -1.0, 0.5], 1e-8),
        (_valley, [-1.2, 1.0], 1e-8),
        (_valley, [-1.2, 1.0, 0.0, -0.3], 1e-8),
        (_valley, [-1.2, 1.0], -1.0),  # ends without a result
        (_walled, [1.2, 0.7, -0.4], 1e-8),
        (_walled, [1.2, 1.2], 1e-8),
        (_bowl, [0.3, 0.3], 0.2),  # ends at once
    ],
)
def test_equals_scipy_call_by_call(cost, first, close):
    """The same points in the same order, the same end, and the same word about it."""
    seen, wanted = [], []

    def own(at):
        seen.append(list(at))
        return float(cost(at))

    def peer(at):
        wanted.append(at.tolist())
        return float(cost(at.tolist()))

    simplex = np.vstack((first, np.array(first) + STEP * np.eye(len(first))))
    options = {"initial_simplex": simplex, "xatol": close, "fatol": close}
    end = optimize.minimize(peer, first, method="Nelder-Mead", options=options)
    assert least(own, first, STEP, close) == (end.x.tolist(), end.success)
    assert seen == wanted
