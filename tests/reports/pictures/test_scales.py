"""The axis of values of a panel: its scale, its name and its numbers."""

import numpy as np

from tests.reports.pictures.layered import MINILM, lines, numbers, panel, series_of
from weightscope.reports.pictures import figure_of


def scale_of(values, unit="weight"):
    """Type and name of the axis of values, and its numbers."""
    (scale,) = scales_of([values], unit)
    return scale


def scales_of(several, unit="weight"):
    """Those of panels with axes of their own, on one page."""
    scales = []
    figure = figure_of([panel({"attn.q": values}, unit=unit) for values in several])
    for ax in figure.axes:
        low, high = ax.get_ylim()
        (line,) = lines(ax).values()
        drawn = line.get_ydata()[np.isfinite(line.get_ydata())]
        assert low <= drawn.min() <= drawn.max() <= high
        assert all(low <= place <= high for place in ax.get_yticks())
        scales.append((ax.get_yscale(), ax.get_ylabel(), numbers(ax.yaxis)))
    return scales


AXES = (
    ((0.0058, 0.0202), "linear", "weight", ["0.005", "0.010", "0.015", "0.020"]),
    ((3.0, -2.0), "linear", "weight", ["−2", "−1", "0", "1", "2", "3"]),
    (MINILM, "log", "weight, log scale", ["1", "10", "100", "1000"]),
    ((4.9, 175.0), "log", "weight, log scale", ["10", "30", "100"]),
    ((1e-12, 1.0), "log", "weight, log scale", ["1e−12", "1e−9", "1e−6", "0.001", "1"]),
    (
        (*MINILM, -0.1, -1.2),
        "symlog",
        "weight, log beyond 1",
        ["−1", "0", "1", "10", "100", "1000"],
    ),
    (
        (1.0, -1.0, 5e3, -5e3, 1.0, 1.0),
        "symlog",
        "weight, log beyond 100",
        ["−1000", "−100", "0", "100", "1000"],
    ),
    (
        (-5.0, 1.0, 1.0, 1.0, 1e5),
        "symlog",
        "weight, log beyond 1",
        ["−1", "0", "1", "100", "1e4"],
    ),
    ((0.0, 0.0, 1.0, 2.0), "linear", "weight", ["0.0", "0.5", "1.0", "1.5", "2.0"]),
    (
        (0.0, 0.0, 1.0, 1.0, 300.0),
        "symlog",
        "weight, log beyond 1",
        ["0", "1", "10", "100"],
    ),
)


def test_axis_of_values():
    """Logarithmic from a factor of 30, linear around 0 where there are values at or below it."""
    found = scales_of([values for values, *_ in AXES])
    for (values, *expected), scale in zip(AXES, found, strict=True):
        assert scale == tuple(expected), values


def test_noise_around_zero_has_a_linear_axis():
    """Its large values are no tail."""
    noise = np.random.default_rng(0).normal(0, 0.02, 2000)
    scale, name, _ = scale_of(noise, "")
    assert (scale, name) == ("linear", "")


def test_powers_of_ten_of_small_and_large_values_are_in_the_name():
    """Numbers at the axis are short."""
    small, close, below, near = scales_of(
        [(2e-6, 5e-6), (0.05, 0.0502), (-0.05, -0.0502), (0.012, 0.0121)]
    )
    assert small == ("linear", "1e−6 weight", ["2", "3", "4", "5"])
    assert close[1:] == ("weight", ["0.0499", "0.0500", "0.0501", "0.0502", "0.0503"])
    assert below[1:] == ("1e−2 weight", ["−5.03", "−5.02", "−5.01", "−5.00", "−4.99"])
    assert near[1] == "1e−2 weight"
    assert scale_of((2e6, -1e6), "")[1:] == ("1e6", ["−1", "0", "1", "2"])


ENDS = (0.0, 5e-324, 0.02, -3.0, 12345.6, 1e308, np.nan)


def test_an_axis_of_equal_values_has_numbers():
    """Constant series, and the least and largest numbers there are."""
    several = []
    for value in ENDS:
        last = 0.0 if np.isnan(value) else value
        several += [
            (*values, last) for values in ((value,) * 3, (value, 0.0), (value, -value, 1.0, 1.0))
        ]
    for values, (scale, _, texts) in zip(several, scales_of(several), strict=True):
        assert len(texts) == len(set(texts)) >= 2, (scale, values)
        assert max(map(len, texts)) < 9


def test_a_change_of_less_than_a_hundredth_does_not_fill_the_axis():
    """The axis extends over a hundredth of the values at least."""
    (ax,) = figure_of([panel({"attn.q": (1000.0, 1000.1)})]).axes
    low, high = ax.get_ylim()
    assert high - low > 10


def test_no_axis_extends_below_values_that_are_positive():
    """Zero is a line only where there are values on both sides of it."""
    (ax,) = figure_of([panel({"attn.q": (0.01, 0.2)})]).axes
    assert ax.get_ylim()[0] == 0
    assert len(ax.lines) == 1
    (ax,) = figure_of([panel({"attn.q": (-0.01, 0.2)})]).axes
    assert [line.get_ydata() for line in ax.lines if line not in series_of(ax)] == [[0, 0]]
