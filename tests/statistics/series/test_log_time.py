"""The line of a distance over the logarithm of the step."""

import numpy as np
import pytest
from scipy.stats import linregress

from weightscope.statistics.series.log_time import log_time


def test_the_line_is_that_of_scipy():
    """Slope, intercept and R2; step 0 is left out."""
    rng = np.random.default_rng(0)
    steps = [0, 3, 10, 40, 200, 1000]
    distances = (np.log1p(steps) + rng.standard_normal(6)).tolist()
    line = log_time(steps, distances)
    other = linregress(np.log(steps[1:]), distances[1:])
    assert (line.slope, line.intercept, line.r2) == pytest.approx(
        (other.slope, other.intercept, other.rvalue**2)
    )
    assert line.points == 5


@pytest.mark.parametrize(
    ("steps", "distances"),
    [([], []), ([1, 2], [0.0, 1.0]), ([0, 1, 2], [0.0, 1.0, 2.0]), ([1, 2, 3], [1.0, 1.0, 1.0])],
)
def test_too_little_for_a_line(steps, distances):
    """Fewer than three steps from 1 on, or equal distances."""
    assert log_time(steps, distances) is None
