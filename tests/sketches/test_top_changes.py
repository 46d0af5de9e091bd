"""The elements that differ most are those of numpy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.sketches.paired import LAYOUTS, made, turned
from weightscope.sketches import TopChanges


@pytest.mark.parametrize("layout", LAYOUTS)
def test_top_changes_are_those_of_numpy(lab, layout) -> None:
    """The largest |b - a| with their places and values, equal ones by position, NaN left out."""
    for of_a, of_b, flavour in (("F32", "BF16", "normal"), ("BF16", "BF16", "alike")):
        pair = turned(made(lab, of_a, of_b, (13, 11), 2, flavour), *layout)
        a, b = lab.values(of_a, pair[0])[0], lab.values(of_b, pair[2])[0]
        with np.errstate(invalid="ignore"):
            size = np.abs(b - a).ravel()
        size[~np.isfinite(size)] = -1
        order = np.argsort(-size, kind="stable")
        order = order[size[order] >= 0][:40]
        for axis, cuts in ((0, ()), (0, (3, 8)), (1, (1, 6))):
            top = lab.take_pair(TopChanges(40, ("a", "b")), pair, axis, cuts)[0]
            assert np.array_equal(top.rows * 11 + top.cols, order)
            assert np.array_equal(top.a, a.ravel()[order])
            assert np.array_equal(top.b, b.ravel()[order])
