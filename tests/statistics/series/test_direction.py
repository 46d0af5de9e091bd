"""Trends: each of the conditions decides alone; noise has none."""

from math import sqrt

import numpy as np
import pytest

from weightscope.statistics.elements.largest_z import max_z_se
from weightscope.statistics.elements.moments import standard_errors
from weightscope.statistics.series.direction import fitted_change, trend
from weightscope.statistics.series.slopes import Line, theil_sen

LAYERS = range(6)
VALUES = [1.0, 1.02, 1.04, 1.06, 1.08, 1.1]
RISING = Line(0.02, 0.01, 0.03)


@pytest.mark.parametrize(
    ("line", "layers", "values", "error", "expected"),
    [
        (RISING, LAYERS, VALUES, 0.01, "up"),
        (Line(-0.02, -0.03, -0.01), LAYERS, VALUES, 0.01, "down"),
        (Line(0.02, 0.0, 0.03), LAYERS, VALUES, 0.01, None),  # the interval holds 0
        (Line(0.02, -0.01, 0.03), LAYERS, VALUES, 0.01, None),
        (Line(0.0100, 0.005, 0.03), LAYERS, VALUES, 0.001, None),  # 4.7% of the median 1.05
        (Line(0.0106, 0.005, 0.03), LAYERS, VALUES, 0.001, "up"),  # 5.05%
        (RISING, LAYERS, VALUES, 0.034, None),  # a change of 0.1 is 2.9 errors
        (RISING, LAYERS, VALUES, 0.033, "up"),
        (RISING, LAYERS, VALUES, None, None),  # no standard error is known
        (RISING, range(4), VALUES[:4], 0.001, None),  # fewer than 5 layers
        (RISING, LAYERS, [0.0] * 6, 0.0, None),  # no median to compare with
    ],
)
def test_conditions(line, layers, values, error, expected):
    """A trend needs all of them."""
    assert trend(line, layers, values, error) == expected


def test_the_change_is_over_the_layers_of_the_axis():
    """Gaps count: the slope is per layer index."""
    assert fitted_change(Line(0.1, 0, 0), [2, 5, 12], [-1.0, -4.0, 2.0]) == pytest.approx(0.5)
    assert fitted_change(Line(0.1, 0, 0), [2, 5, 12], [0.0, 0.0, 2.0]) is None


@pytest.mark.parametrize("layers", [5, 6, 12, 32])
def test_noise_has_no_trend(layers):
    """Std, kurtosis and largest z of Gaussian matrices: at most 1% of 100 seeded series.

    A rule of p below 0.05 alone would find 5%.
    """
    rng = np.random.default_rng(layers)
    elements = 256
    count = {"std": 0, "kurtosis": 0, "max_z": 0}
    for _ in range(100):
        draws = rng.standard_normal((layers, elements))
        away = draws - draws.mean(1, keepdims=True)
        std = away.std(1)
        kurtosis = (away**4).mean(1) / std**4 - 3
        errors = standard_errors(elements, float(np.median(std)), float(np.median(kurtosis)))
        series = {
            "std": (std, errors["std_se"]),
            "kurtosis": (kurtosis, sqrt(24 / elements)),
            "max_z": (np.abs(away).max(1) / std, max_z_se(elements)),
        }
        for name, (values, error) in series.items():
            listed = values.tolist()
            line = theil_sen(range(layers), listed)
            count[name] += trend(line, range(layers), listed, error) is not None
    assert max(count.values()) <= 1
