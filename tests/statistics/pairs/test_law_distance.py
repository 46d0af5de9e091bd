"""Distances of two laws against scipy's of the samples."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats

from weightscope.sketches import count, few_values
from weightscope.statistics.pairs import LAW_DISTANCE
from weightscope.statistics.pairs.law_distance import distance


def samples():
    """Two samples of different sizes, laws and overlaps."""
    rng = np.random.default_rng(0)
    yield "gaussians", rng.normal(size=4000), rng.normal(0.1, 1.2, 3000)
    yield "shifted apart", rng.normal(size=500), rng.normal(20, 1, 700)
    yield "laplace", rng.normal(size=2000), rng.laplace(size=2500)
    yield "one value", rng.normal(size=50), np.array([0.25])
    yield "zeros", np.where(rng.random(900) < 0.3, 0, rng.normal(size=900)), rng.normal(size=800)
    yield "lattice", rng.integers(-3, 4, 1000) / 4, rng.integers(-4, 3, 900) / 4


SAMPLES = {name: (a, b) for name, a, b in samples()}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(("of_a", "of_b"), [("F32", "F32"), ("BF16", "BF16"), ("F16", "F64")])
def test_distances_of_exact_cells_are_those_of_scipy(pairs, name, of_a, of_b) -> None:
    """Small wide tensors, narrow types, two types; w1 in units of A's deviation."""
    a, b = (
        pairs.stored(x, dtype)[None] for x, dtype in zip(SAMPLES[name], (of_a, of_b), strict=True)
    )
    x, y = pairs.values(a, of_a)[0], pairs.values(b, of_b)[0]
    (of_one,) = pairs.measure([(a, of_a, a, of_a)], LAW_DISTANCE.needs)
    (of_other,) = pairs.measure([(b, of_b, b, of_b)], LAW_DISTANCE.needs)
    first, second = sorted(LAW_DISTANCE.needs, key=lambda at: at.label)
    found = pairs.evaluated(LAW_DISTANCE, {first: of_one[first], second: of_other[second]})
    assert found.ks == pytest.approx(stats.ks_2samp(x, y).statistic, rel=1e-12)
    assert found.w1 == pytest.approx(stats.wasserstein_distance(x, y) / x.std(), rel=1e-9)


@pytest.mark.parametrize("name", ["gaussians", "shifted apart", "laplace", "zeros"])
@pytest.mark.parametrize("sides", list(product(("exact", "bins", "BF16"), repeat=2))[1:])
def test_distances_of_bins_are_near_those_of_scipy(counts_of, stored_as, name, sides) -> None:
    """Bins on one side or both: within the mean width of the cells."""
    cells, width = [], 0.0
    for x, kind in zip(SAMPLES[name], sides, strict=True):
        counts = stored_as(x, "BF16") if kind == "BF16" else counts_of(x, bins=kind == "bins")
        width += float(((counts.high - counts.low) * counts.counts).sum()) / counts.n
        cells.append(counts)
    a, b = SAMPLES[name]
    found = distance(*cells)
    assert found.w1 == pytest.approx(stats.wasserstein_distance(a, b), abs=width)
    # the largest share of one sample in one cell
    most = max(float(counts.counts[counts.value != 0].max()) / counts.n for counts in cells)
    assert found.ks == pytest.approx(stats.ks_2samp(a, b).statistic, abs=2 * most)


def test_large_tensors_are_counted_in_bins(pairs, monkeypatch) -> None:
    """The columns of wide tensors above the limit: half a percent of scipy's."""
    monkeypatch.setattr(count, "EXACT", -1)
    monkeypatch.setattr(few_values, "FEW", -1)
    rng = np.random.default_rng(1)
    x, y = (rng.normal(size=(60, 80)).astype(np.float32), rng.laplace(size=(60, 80)))
    y = y.astype(np.float32)
    found = pairs.columns(LAW_DISTANCE, torch.from_numpy(x), "F32", torch.from_numpy(y), "F32")
    expected = stats.wasserstein_distance(x.ravel(), y.ravel()) / x.std()
    assert found.w1 == pytest.approx(expected, rel=5e-3)
    assert found.ks == pytest.approx(stats.ks_2samp(x.ravel(), y.ravel()).statistic, abs=5e-3)


def test_straight_lines_that_cross_are_two_triangles(counts_of) -> None:
    """Uniform on (0, 1) beside uniform on (1/4, 3/4): gaps of 1/4 to either side, area 1/8."""
    one = replace(counts_of([0.5] * 8), exact=False, low=np.array([0.0]), high=np.array([1.0]))
    other = replace(one, low=np.array([0.25]), high=np.array([0.75]))
    found = distance(one, other)
    assert (found.ks, found.w1) == (0.25, 0.125)


def test_equal_laws_have_no_distance(pairs, counts_of) -> None:
    """Exactly 0, of exact cells and of bins; elements are not paired."""
    x = np.random.default_rng(2).normal(size=(20, 30))
    a, b = torch.from_numpy(x), torch.from_numpy(x[::-1].copy())
    found = pairs.columns(LAW_DISTANCE, a, "F64", b, "F64")
    assert (found.ks, found.w1) == (0, 0)
    bins = distance(counts_of(x, bins=True), counts_of(x[::-1], bins=True))
    assert (bins.ks, bins.w1) == (0, 0)


def test_a_distance_is_symmetric(counts_of) -> None:
    """ks and w1 in units of the values do not depend on which law is first."""
    a, b = SAMPLES["laplace"]
    for bins in (False, True):
        one, other = counts_of(a, bins=bins), counts_of(b, bins=bins)
        there, back = distance(one, other), distance(other, one)
        assert there.ks == pytest.approx(back.ks, rel=1e-12)
        assert there.w1 == pytest.approx(back.w1, rel=1e-12)


def test_a_constant_has_no_unit(pairs) -> None:
    """w1 is in standard deviations of A: null where A is constant; ks is there."""
    a, b = torch.zeros(3, 4), torch.arange(12.0).view(3, 4)
    found = pairs.columns(LAW_DISTANCE, a, "F32", b, "F32")
    assert (found.w1, found.ks) == (None, pytest.approx(11 / 12))
    turned = pairs.columns(LAW_DISTANCE, b, "F32", a, "F32")
    assert turned.w1 == pytest.approx(5.5 / float(b.numpy().std()), rel=1e-6)


def test_only_finite_values_have_a_law(pairs) -> None:
    """NaN and Inf are left out; of nothing finite there is no distance."""
    a = torch.tensor([[1.0, 2.0, float("nan")]])
    b = torch.tensor([[1.0, 2.0, float("inf")]])
    assert pairs.columns(LAW_DISTANCE, a, "F32", b, "F32").ks == 0
    nothing = pairs.columns(LAW_DISTANCE, a * float("nan"), "F32", b, "F32")
    assert (nothing.ks, nothing.w1) == (None, None)


@pytest.mark.parametrize("size", [1e200, 1e308])
def test_values_near_the_largest_have_no_w1(pairs, size) -> None:
    """The deviation of A overflows: null, no NaN and no 0."""
    x = np.random.default_rng(3).uniform(-1, 1, (8, 8)) * size
    a, b = torch.from_numpy(x), torch.from_numpy(-np.abs(x))
    found = pairs.columns(LAW_DISTANCE, a, "F64", b, "F64")
    assert found.w1 is None
    assert found.ks == pytest.approx(stats.ks_2samp(x.ravel(), -np.abs(x).ravel()).statistic)


def test_bins_that_do_not_resolve_a_law_have_no_distance(pairs, monkeypatch) -> None:
    """Gains of 1 +- 1e-4 lie in two bins of a large tensor: null with a note."""
    monkeypatch.setattr(count, "EXACT", -1)
    monkeypatch.setattr(few_values, "FEW", -1)
    x, y = 1 + 1e-4 * np.random.default_rng(4).normal(size=(2, 30, 30))
    found = pairs.columns(
        LAW_DISTANCE, pairs.stored(x, "F32"), "F32", pairs.stored(y, "F32"), "F32"
    )
    assert (found.ks, found.w1) == (None, None)
    assert found.noted["wide-bins"]
