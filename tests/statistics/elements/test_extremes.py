"""What stands far out, against numpy, scipy and closed forms."""

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
    core,
    farthest,
    gaussian_share,
    truncated_std,
)
from weightscope.statistics.elements.largest_z import max_z_null

RNG = np.random.default_rng(0)
SIGMAS = (3, 4, 5, 6)


@pytest.fixture
def crossed(counts_of):
    """`crossed(array)`: counts, what is beyond k std, and the core within 4 robust std, by numpy."""

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
    """3 sigma of 300,000 draws, to 4 standard errors; of a Laplace law exp(-k sqrt 2) is further out."""
    many = 300_000
    error = 4 / np.sqrt(many * gaussian_share(3))
    assert beyond(crossed(RNG.standard_normal(many)))["beyond_3_ratio"] == pytest.approx(
        1, abs=error
    )
    expected = np.exp(-3 * np.sqrt(2)) / gaussian_share(3)
    assert beyond(crossed(RNG.laplace(size=many)))["beyond_3_ratio"] == pytest.approx(
        expected, rel=0.1
    )


def test_where_no_std_is_nothing_is_beyond_it(crossed, counts_of):
    """Unknown is null, not zero; so it is where there is no element."""
    known = crossed(RNG.standard_normal(100))
    assert set(beyond(replace(known, beyond=None)).values()) == {None}
    assert set(beyond(replace(known, counts=counts_of([nan, inf]))).values()) == {None}


def test_the_largest_z_equals_numpy_beside_its_null(crossed):
    """Of skewed values too, on whichever side it is."""
    for x in (
        RNG.standard_normal(500),
        -RNG.standard_exponential(500),
        np.array([0.0] * 9 + [1.0]),
    ):
        values = farthest(crossed(x))
        assert values["max_z"] == pytest.approx(np.abs((x - x.mean()) / x.std()).max(), rel=1e-12)
        assert values["max_z_null"] == max_z_null(x.size)


@pytest.mark.parametrize("count", [1, 2, 100, 10_000])
def test_the_null_of_the_largest_z_is_what_draws_give(count):
    """E max |z|: closed forms for one and two Gaussians, the mean of draws for more."""
    closed = {1: np.sqrt(2 / np.pi), 2: 2 / np.sqrt(np.pi)}
    if count in closed:
        assert max_z_null(count) == pytest.approx(closed[count], rel=1e-5)
        return
    draws = np.abs(np.random.default_rng(1).standard_normal((2_000_000 // count, count))).max(1)
    assert max_z_null(count) == pytest.approx(
        draws.mean(), abs=4 * draws.std() / np.sqrt(len(draws))
    )


@pytest.mark.parametrize(
    "x", [[0.5] * 20, [0.0] * 20, [nan] * 3, [inf, -inf]], ids=["constant", "zero", "nan", "inf"]
)
def test_what_does_not_vary_has_no_largest_z(counts_of, x):
    """Nor a null beside it."""
    found = Crossings(counts_of(x), (0, 0, 0, 0), PowerSums(0, nan), None, None)
    assert farthest(found) == {"max_z": None, "max_z_null": None}


def test_the_core_of_a_gaussian_with_outliers_is_the_gaussian(crossed):
    """Its std comes back to 1%, though that of everything is five times as large; the share is what was planted."""
    x = RNG.standard_normal(40_000)
    x[:200] = 70 * RNG.choice([-1, 1], 200)
    values = core(crossed(x))
    assert x.std() > 5
    assert values["core_share"] == pytest.approx(0.995, abs=1e-3)
    assert values["core_std"] == pytest.approx(1, rel=0.01)


def test_the_core_equals_numpy(crossed):
    """Share and corrected std of what is within 4 robust std."""
    x = RNG.standard_t(3, 20_000) + 0.3
    found = crossed(x)
    low, middle, high = np.quantile(x, (0.25, 0.5, 0.75))
    inside = x[np.abs(x - middle) <= 4 * (high - low) / (2 * stats.norm.ppf(0.75))]
    assert core(found)["core_share"] == pytest.approx(inside.size / x.size, rel=1e-12)
    assert core(found)["core_std"] == pytest.approx(
        inside.std() / stats.truncnorm(-4, 4).std(), rel=1e-9
    )


def test_without_a_scale_there_is_no_core(crossed):
    """Half of the values equal, or none at all."""
    found = crossed(RNG.standard_normal(100))
    nothing = {"core_share": None, "core_std": None}
    assert core(replace(found, core=None)) == nothing
    assert core(replace(found, core=PowerSums(0, 0.0))) == nothing
