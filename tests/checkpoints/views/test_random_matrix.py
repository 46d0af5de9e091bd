"""Random matrices: any box is the same part of the same whole, and the law is the one named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weightscope.checkpoints.views import RandomMatrix
from weightscope.geometry import Box, whole

SHAPES = [(30, 21), (21, 30), (16, 16), (1, 9)]


@given(st.sampled_from(SHAPES), st.data())
def test_a_box_is_cut_from_the_whole(shape, data) -> None:
    """make(box) == make(whole)[box], whatever box asks first."""
    ends = [sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in shape]
    box, random = Box(tuple(ends[0]), tuple(ends[1])), RandomMatrix(shape, "gaussian", 0.0, 1.0, 5)
    expected = random.make(whole(shape), ())[slice(*box.rows), slice(*box.cols)]
    assert np.array_equal(random.make(box, ()), expected)
    assert random.needs(box) == ()


@pytest.mark.parametrize(("law", "std"), [("gaussian", 1.0), ("logistic", np.pi / np.sqrt(3))])
def test_elements_follow_the_law(law, std) -> None:
    """Mean and scale to three standard errors, neighbours uncorrelated, a matrix for each seed."""
    x = RandomMatrix((400, 300), law, 0.5, 0.02, 1).make(whole((400, 300)), ()).double().numpy()
    assert x.mean() == pytest.approx(0.5, abs=3 * 0.02 * std / np.sqrt(x.size))
    assert x.std() == pytest.approx(0.02 * std, rel=0.01)
    assert abs(np.corrcoef(x[:-8].ravel(), x[8:].ravel())[0, 1]) < 0.01
    other = RandomMatrix((400, 300), law, 0.5, 0.02, 2).make(whole((400, 300)), ()).double().numpy()
    assert abs(np.corrcoef(x.ravel(), other.ravel())[0, 1]) < 0.01


def test_it_is_cut_across_its_long_side() -> None:
    """As a spectrum folds it; column-major where that is columns."""
    assert [RandomMatrix(shape, "gaussian", 0, 1, 0).cut for shape in SHAPES] == [0, 1, 0, 1]
    assert RandomMatrix((21, 30), "gaussian", 0, 1, 0).make(whole((21, 30)), ()).stride() == (1, 21)
