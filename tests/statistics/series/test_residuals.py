"""Outlier layers: planted ones are found, clean and curved series have none."""

import numpy as np
import pytest
from scipy import special, stats

from weightscope.statistics.series.residuals import Outlying, outlying
from weightscope.statistics.series.slopes import loglog, theil_sen


def found(values, layers=None):
    """The outliers of a series."""
    layers = list(range(len(values))) if layers is None else layers
    values = list(map(float, values))
    line = theil_sen(layers, values)
    return outlying(layers, values, line.slope, loglog(layers, values))


def noise(layers, seed=0):
    """Values of 1 with a spread of 1%."""
    return 1 + 0.01 * np.random.default_rng(seed).standard_normal(layers)


def by_scipy(values):
    """The definition, with the lines of scipy."""
    x = np.arange(len(values), dtype=float)
    line = stats.theilslopes(values, x)
    power = stats.theilslopes(np.log(values), np.log(x + 1))
    fitted = np.exp(power.intercept + power.slope * np.log(x + 1))
    linear, of_power = away(values - line.slope * x), away(values - fitted)
    far = beyond(linear)
    if np.median(of_power) < np.median(linear):
        far = beyond(of_power) & beyond(away(values / fitted))
    found = np.flatnonzero(far)
    return tuple(found) if len(found) <= 0.15 * len(values) else ()


def away(residuals):
    """Distances from the median."""
    return np.abs(residuals - np.median(residuals))


def beyond(distances):
    """Which are far."""
    return distances > 3.5 * 1.4826 * np.median(distances)


@pytest.mark.parametrize("layers", [8, 12, 32])
def test_equals_the_definition_with_lines_of_scipy(layers):
    """Of noise, of powers and of straight lines."""
    x = np.arange(layers)
    for seed in range(8):
        for curve in (1, 1 + 0.1 * x, (x + 1.0) ** -0.7):
            values = curve * noise(layers, seed)
            assert found(values).layers == by_scipy(values)


def test_one_wide_layer_is_the_only_outlier():
    """Three times the others, in the middle of 24."""
    values = noise(24, 5)
    values[9] *= 3
    assert found(values) == Outlying((9,))


def test_the_index_is_named_not_the_rank():
    """Layers with gaps."""
    values = noise(10, 2)
    values[4] *= 3
    layers = [0, 1, 2, 5, 8, 9, 10, 14, 15, 16]
    assert found(values, layers).layers == (8,)


@pytest.mark.parametrize("layers", [8, 24, 80])
def test_a_power_of_depth_has_no_outliers(layers):
    """0.02/sqrt(layer + 1) with noise of 1%: the straight line flags its first layers."""
    x = np.arange(layers)
    values = 0.02 / np.sqrt(x + 1)
    assert found(values) is None  # up to rounding it is the line
    values = (values * noise(layers, 4)).tolist()
    assert found(values).layers == ()
    straight = outlying(list(x), values, theil_sen(x, values).slope, None)
    assert straight.layers or straight.curved or layers == 8


@pytest.mark.parametrize("layers", [12, 32])
def test_powers_of_depth_rarely_alarm(layers):
    """Noise is a share of the value; in the unit of the values alone a third would alarm."""
    power = 0.02 / np.sqrt(np.arange(layers) + 1)
    alarms = [bool(found(power * noise(layers, seed)).layers) for seed in range(100)]
    assert np.mean(alarms) < 0.13


def test_a_series_that_follows_neither_line_has_none():
    """Half of the layers on a step: the number of those that are far is kept for a note."""
    values = np.concatenate((noise(14), 3 * noise(6, 1)))
    outliers = found(values)
    assert outliers.layers == ()
    assert outliers.curved > 0.15 * 20


@pytest.mark.parametrize("values", [np.ones(20), noise(7), 0.1 * np.arange(20), np.zeros(9)])
def test_nothing_is_judged_without_spread_or_layers(values):
    """A constant and an exact line have a MAD of 0 up to rounding; 7 layers are too few."""
    assert found(values) is None


@pytest.mark.parametrize(("layers", "share"), [(8, 0.17), (12, 0.13), (24, 0.14), (32, 0.12)])
def test_how_often_noise_alarms(layers, share):
    """The rates of the help, of 200 series within three standard deviations of 400."""
    alarms = [bool(found(noise(layers, 1000 + seed)).layers) for seed in range(200)]
    assert np.mean(alarms) == pytest.approx(share, abs=3 * np.sqrt(share / 400) + 0.005)


@pytest.mark.parametrize(("layers", "share"), [(8, 0.21), (12, 0.20), (24, 0.32), (32, 0.36)])
def test_how_often_the_largest_of_gaussian_weights_alarms(layers, share):
    """The rates of the help for max_z, by the law of the largest of 1e6 |z|."""
    uniform = np.random.default_rng(layers).random((200, layers))
    largest = special.ndtri((1 + uniform**1e-6) / 2)
    alarms = [bool(found(values).layers) for values in largest]
    assert np.mean(alarms) == pytest.approx(share, abs=3 * np.sqrt(share / 400) + 0.005)
