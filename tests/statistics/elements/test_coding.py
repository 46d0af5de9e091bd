"""Coding costs against written-out codes, entropies of histograms, and all pairs of powers."""

from __future__ import annotations

from math import e, log2, pi

import numpy as np
import pytest
from scipy import stats

from weightscope.sketches import Count
from weightscope.sketches.power_sums import PowerSums
from weightscope.sketches.value_counts import ValueCounts
from weightscope.statistics.elements.coding import coding_costs, entropy_bits, golomb, rf8_rmse


def _bits_written(x: int, k: int) -> int:
    """Length of the order-k exp-Golomb word of a signed x: zeros, then the bits of u + 2^k."""
    u = 2 * x - 1 if x > 0 else -2 * x
    word = bin(u + 2**k)[2:]
    return len("0" * (len(word) - 1 - k) + word)


def _histogram_entropy(x: np.ndarray, step: float) -> float:
    return float(stats.entropy(np.unique(np.rint(x / step), return_counts=True)[1], base=2))


@pytest.mark.parametrize("sigma", [1e-4, 3e-4, 0.02, 1.5])
def test_golomb_is_the_shortest_of_all_orders(counts_of, sigma):
    """Bits and order are those of the best code when every word is written out."""
    x = np.random.default_rng(1).normal(0, sigma, 800)
    steps = [int(v) for v in np.rint(x * 2**13)]
    costs = [sum(_bits_written(s, k) for s in steps) / len(steps) for k in range(20)]
    assert golomb(counts_of(x)) == (pytest.approx(min(costs)), int(np.argmin(costs)))


@pytest.mark.parametrize("x", [0, 1, -1, 2, -2, 3, 7, 8, -100, 2**40])
def test_golomb_of_one_value(counts_of, x):
    """A single value costs the shortest of its words, also where logarithms round."""
    assert golomb(counts_of([x * 2.0**-13]))[0] == min(_bits_written(x, k) for k in range(50))


def test_golomb_of_bins_is_close(counts_of):
    """Bins cost what their weights cost, to a hundredth of a bit."""
    x = np.random.default_rng(2).normal(0, 0.02, 100_000)
    assert golomb(counts_of(x, bins=True))[0] == pytest.approx(golomb(counts_of(x))[0], abs=1e-2)


@pytest.mark.parametrize("bins", [False, True])
@pytest.mark.parametrize("sigma", [1e-4, 0.02, 1.0])
def test_entropy_is_that_of_the_histogram(counts_of, sigma, bins):
    """Entropy at step 2^-13 is that of the rounded weights: exact of exact cells, close of bins."""
    x = np.random.default_rng(3).normal(0, sigma, 200_000)
    got = entropy_bits(counts_of(x, bins=bins), 2.0**-13)
    if sigma == 1.0 and bins:
        # more steps than weights: the entropy of the law itself
        assert got == pytest.approx(0.5 * log2(2 * pi * e) + 13, abs=2e-2)
    else:
        assert got == pytest.approx(_histogram_entropy(x, 2.0**-13), abs=5e-3 if bins else 1e-9)


@pytest.mark.parametrize("bins", [False, True])
def test_entropy_at_a_step_in_sigma_does_not_know_sigma(counts_of, bins):
    """At std/64 every Gaussian has log2 sqrt(2 pi e) + 6 = 8.05 bits, whatever its sigma."""
    for sigma in (1e-3, 7.0):
        x = np.random.default_rng(4).normal(0, sigma, 100_000)
        assert coding_costs(counts_of(x, bins=bins))["entropy_bits_std64"] == pytest.approx(
            8.047, abs=1e-2
        )


def test_one_bin_over_many_steps_is_uniform():
    """A bin over 1,000 steps has log2 1000 bits; halves in outer steps count as halves."""
    bin_ = ValueCounts(*(np.array([v]) for v in (0.5, 1000.5, 500.5)), np.array([10]), exact=False)
    from_power = ValueCounts(
        bin_.low, bin_.high, bin_.value, bin_.counts, exact=False, power=_power(10)
    )
    assert entropy_bits(from_power, 1.0) == pytest.approx(log2(1000), abs=1e-9)
    halves = ValueCounts(
        np.array([0.0]),
        np.array([2.0]),
        np.array([1.0]),
        np.array([4]),
        exact=False,
        power=_power(4),
    )
    assert entropy_bits(halves, 1.0) == pytest.approx(1.5)


def _power(n: int):
    return type(ValueCounts().power)(n)


def _best_of_all(w: np.ndarray) -> np.ndarray:
    """Distance from w to the nearest 2^a or 2^a +- 2^b over all exponents with a - b <= 4."""
    powers = 2.0 ** np.arange(-40, 12)
    sums = [0.0 * powers] + [s * powers / 2.0**d for d in range(5) for s in (-1, 1)]
    pairs = np.unique(np.concatenate([powers + s for s in sums]))
    next_one = np.searchsorted(pairs, w)
    return np.minimum(np.abs(pairs[next_one] - w), np.abs(pairs[next_one - 1] - w))


def test_two_powers_are_never_better_than_a_search_and_rarely_worse(counts_of):
    """Rounding log2 gives the best pair for most weights, and in all an error within a fifth."""
    x = np.random.default_rng(5).standard_normal(3000)
    single = np.array([rf8_rmse(counts_of([v])) * abs(v) for v in x[:300]])
    best = _best_of_all(np.abs(x[:300]))
    assert (single >= best - 1e-15).all()
    assert (single <= best + 1e-12).mean() > 0.8
    assert rf8_rmse(counts_of(x)) < 1.2 * np.sqrt(
        np.mean(_best_of_all(np.abs(x)) ** 2) / np.mean(x**2)
    )


@pytest.mark.parametrize("w", [1.0, 0.75, -0.75, 1.5, 2.0**-20, 1 + 2.0**-4, -(4 - 0.25)])
def test_sums_of_two_powers_cost_nothing(counts_of, w):
    """A value that is 2^a +- 2^b, b at most 4 below a, has no error."""
    assert rf8_rmse(counts_of([w])) == 0


def test_a_second_power_too_small_is_dropped(counts_of):
    """1 + 2^-5 keeps only its first power."""
    assert rf8_rmse(counts_of([1 + 2.0**-5])) == pytest.approx(2.0**-5 / (1 + 2.0**-5))


@pytest.mark.parametrize("bins", [False, True])
def test_two_powers_of_a_gaussian(counts_of, bins):
    """A Gaussian loses 0.0396 of its RMS."""
    x = stats.norm.ppf((np.arange(300_000) + 0.5) / 300_000)
    assert rf8_rmse(counts_of(x, bins=bins)) == pytest.approx(0.0396, abs=2e-4)


def test_costs_of_a_constant_of_zeros_and_of_nothing(counts_of):
    """A constant has no entropy and no sigma; zeros cost one bit; nothing costs nothing."""
    assert coding_costs(counts_of([0.5] * 9))["entropy_bits"] == 0
    names = ("entropy_bits", "entropy_bits_std64", "golomb_bits", "golomb_order", "rf8_rmse")
    assert coding_costs(counts_of([0.0] * 9)) == dict(
        zip(names, (0.0, None, 1.0, 0, None), strict=True)
    )
    assert coding_costs(ValueCounts()) == dict.fromkeys(names)


def test_extreme_values_end_quietly(counts_of):
    """Values beyond float32's range have no code, and the smallest of float64 raises no warning."""
    got = coding_costs(counts_of([5e-324, 1e60, -1e60]))
    assert (got["golomb_bits"], got["golomb_order"]) == (None, None)
    assert np.isfinite(got["rf8_rmse"])
    assert np.isfinite(got["entropy_bits"])


def test_costs_of_a_large_lattice_are_those_of_its_values(taken):
    """240 values of 120,000 float32 weights cost as many bits as their histogram."""
    rng = np.random.default_rng(8)
    levels = rng.normal(size=240).astype(np.float32)
    w = rng.choice(levels, (300, 400)).astype(np.float64)
    counts = taken(Count(), w)
    step = 2.0**-24
    assert entropy_bits(counts, step) == pytest.approx(_histogram_entropy(w, step))
    assert entropy_bits(counts, step) <= log2(240)
    bits, order = golomb(counts)
    steps, times = np.unique(np.rint(w * 2**13), return_counts=True)
    words = [_bits_written(int(x), order) for x in steps]
    assert bits == pytest.approx(np.average(words, weights=times))
    errors = [rf8_rmse(counts_of_one(x)) * x for x in counts.value]
    expected = np.sqrt(np.dot(np.square(errors), counts.counts) / np.square(w).sum())
    assert rf8_rmse(counts) == pytest.approx(expected)


def counts_of_one(x: float) -> ValueCounts:
    """One weight of that value."""
    one = np.array([x])
    return ValueCounts(one, one, one, np.array([1]), PowerSums.of(one, np.array([1])))
