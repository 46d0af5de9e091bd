"""Extreme weights, against numpy, scipy and closed forms."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from scipy import stats

from weightscope.sketches import Crossings
from weightscope.sketches.power_sums import PowerSums
from weightscope.statistics.elements.extremes import (
    beyond,
    central_weights,
    gaussian_share,
    truncated_std,
)
from weightscope.statistics.elements.largest_z import largest_z, max_z_null, max_z_se

RNG = np.random.default_rng(0)
SIGMAS = (3, 4, 5, 6)


@pytest.fixture
def crossed(counts_of):
    """`crossed(array)`: counts, counts beyond k std, and sums within 4 robust std, by numpy."""

    def of(x):
        x = np.asarray(x, np.float64)
        finite = x[np.isfinite(x)]
        far = tuple(int((np.abs(finite - finite.mean()) > k * finite.std()).sum()) for k in SIGMAS)
        low, middle, high = np.quantile(finite, (0.25, 0.5, 0.75))
        inside = finite[np.abs(finite - middle) <= 4 * (high - low) / (2 * stats.norm.ppf(0.75))]
        sums = PowerSums.of(*np.unique(inside, return_counts=True))
        return Crossings(counts_of(x), far, sums, None, None)

    return of


@pytest.mark.parametrize("k", [0.5, 1, 3, 4, 5, 6, 20])
def test_the_share_of_a_gaussian_equals_scipy(k):
    """Both tails, without cancellation."""
    assert gaussian_share(k) == pytest.approx(2 * stats.norm.sf(k), rel=1e-12)


def test_the_share_of_a_gaussian_as_published():
    """Of 3, 4, 5 and 6 sigma."""
    assert [gaussian_share(k) for k in SIGMAS] == pytest.approx(
        [2.700e-3, 6.334e-5, 5.733e-7, 1.973e-9], rel=5e-4
    )


@pytest.mark.parametrize("cut", [0.5, 1, 2, 4, 6])
def test_the_std_of_a_cut_gaussian_equals_scipy(cut):
    """Of a standard one, cut on both sides."""
    assert truncated_std(cut) == pytest.approx(stats.truncnorm(-cut, cut).std(), rel=1e-9)


@pytest.mark.parametrize("law", ["standard_normal", "standard_cauchy", "standard_exponential"])
def test_counts_beyond_equal_numpy(crossed, law):
    """Each beside its share over a Gaussian's."""
    x = getattr(RNG, law)(30_000)
    values = beyond(crossed(x))
    z = np.abs(x - x.mean()) / x.std()
    for k in SIGMAS:
        count = int((z > k).sum())
        assert values[f"beyond_{k}"] == count
        assert values[f"beyond_{k}_ratio"] == pytest.approx(
            count / x.size / (2 * stats.norm.sf(k)), rel=1e-12
        )


def test_a_gaussian_has_a_ratio_of_one_and_a_laplace_tail_more(crossed):
    """3 sigma of 300,000 samples, to 4 standard errors; of a Laplace law exp(-k sqrt 2)."""
    many = 300_000
    error = 4 / np.sqrt(many * gaussian_share(3))
    assert beyond(crossed(RNG.standard_normal(many)))["beyond_3_ratio"] == pytest.approx(
        1, abs=error
    )
    expected = np.exp(-3 * np.sqrt(2)) / gaussian_share(3)
    assert beyond(crossed(RNG.laplace(size=many)))["beyond_3_ratio"] == pytest.approx(
        expected, rel=0.1
    )


def test_without_std_counts_beyond_it_are_null(crossed, counts_of):
    """Null, not zero; also without a finite element."""
    crossings = crossed(RNG.standard_normal(100))
    assert set(beyond(replace(crossings, beyond=None)).values()) == {None}
    assert set(beyond(replace(crossings, counts=counts_of([nan, inf]))).values()) == {None}


def test_the_largest_z_equals_numpy_beside_its_null(crossed):
    """Of skewed values too, on whichever side it is."""
    for x in (
        RNG.standard_normal(500),
        -RNG.standard_exponential(500),
        np.array([0.0] * 9 + [1.0]),
    ):
        values = largest_z(crossed(x).counts)
        assert values["max_z"] == pytest.approx(np.abs((x - x.mean()) / x.std()).max(), rel=1e-12)
        assert values["max_z_null"] == max_z_null(x.size)
        assert values["max_z_se"] == max_z_se(x.size)


@pytest.mark.parametrize("count", [1, 2, 100, 10_000])
def test_the_null_of_the_largest_z_is_the_mean_of_samples(count):
    """E max |z|: closed forms for one and two Gaussians, the mean of random samples for more."""
    closed = {1: np.sqrt(2 / np.pi), 2: 2 / np.sqrt(np.pi)}
    if count in closed:
        assert max_z_null(count) == pytest.approx(closed[count], rel=1e-5)
        assert max_z_se(count) == pytest.approx(np.sqrt(1 - 2 / np.pi), rel=1e-5)
        return
    samples = np.abs(np.random.default_rng(1).standard_normal((2_000_000 // count, count))).max(1)
    assert max_z_null(count) == pytest.approx(
        samples.mean(), abs=4 * samples.std() / np.sqrt(len(samples))
    )
    spread = 4 * samples.std() / np.sqrt(len(samples))  # the fourth moment is near a Gaussian's
    assert max_z_se(count) == pytest.approx(samples.std(), abs=spread)


@pytest.mark.parametrize(
    "x", [[0.5] * 20, [0.0] * 20, [nan] * 3, [inf, -inf]], ids=["constant", "zero", "nan", "inf"]
)
def test_without_spread_there_is_no_null_either(counts_of, x):
    """Constants, NaN and Inf have neither max_z nor its null."""
    crossings = Crossings(counts_of(x), (0, 0, 0, 0), PowerSums(0, nan), None, None)
    assert set(largest_z(crossings.counts).values()) == {None}
    assert largest_z(crossings.counts).keys() == {
        "max_z",
        "max_z_null",
        "max_z_score",
        "max_z_tail",
        "max_z_se",
    }


def test_the_core_of_a_gaussian_with_outliers_is_the_gaussian(crossed):
    """Share and std are recovered, the std to 1%; that of all weights is five times as large."""
    x = RNG.standard_normal(40_000)
    x[:200] = 70 * RNG.choice([-1, 1], 200)
    values = central_weights(crossed(x))
    assert x.std() > 5
    assert values["core_share"] == pytest.approx(0.995, abs=1e-3)
    assert values["core_std"] == pytest.approx(1, rel=0.01)


def test_the_core_equals_numpy(crossed):
    """Share and corrected std of what is within 4 robust std."""
    x = RNG.standard_t(3, 20_000) + 0.3
    crossings = crossed(x)
    low, middle, high = np.quantile(x, (0.25, 0.5, 0.75))
    inside = x[np.abs(x - middle) <= 4 * (high - low) / (2 * stats.norm.ppf(0.75))]
    assert central_weights(crossings)["core_share"] == pytest.approx(
        inside.size / x.size, rel=1e-12
    )
    assert central_weights(crossings)["core_std"] == pytest.approx(
        inside.std() / stats.truncnorm(-4, 4).std(), rel=1e-9
    )


def test_without_a_scale_there_is_no_core(crossed):
    """Half of the values are identical, or there are none."""
    crossings = crossed(RNG.standard_normal(100))
    nothing = {"core_share": None, "core_std": None}
    assert central_weights(replace(crossings, central=None)) == nothing
    assert central_weights(replace(crossings, central=PowerSums(0, 0.0))) == nothing
