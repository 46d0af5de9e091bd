"""Weights set to zero by magnitude, and what only looks like it."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.statistics.elements.excess_zeros import (
    centre_is_pruned,
    excess_zeros,
    pruned_zeros,
)
from weightscope.statistics.elements.pruned_centre import hole_of_pruning
from weightscope.statistics.laws import LAWS
from weightscope.statistics.laws.fitting import fit_laws

GENNORM = [law for law in LAWS if law.name == "gennorm"]


def _gaussian(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(128, 128))


def _pruned(x: np.ndarray, share: float) -> np.ndarray:
    return np.where(np.abs(x) < np.quantile(np.abs(x), share), 0.0, x)


def _int4(x: np.ndarray) -> np.ndarray:
    step = np.abs(x).max(1, keepdims=True) / 7
    return np.round(x / step) * step


def _two_of_four(x: np.ndarray) -> np.ndarray:
    groups = x.reshape(-1, 4)
    rank = np.abs(groups).argsort(1).argsort(1)
    return np.where(rank < 2, 0.0, groups).reshape(x.shape)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_a_pruned_gaussian_keeps_its_beta(share, seed, counts_of):
    """Its zeros are one cell as wide as the hole, wherever a bin's edge lies."""
    counts = counts_of(_pruned(_gaussian(seed), share), bins=True)
    assert excess_zeros(counts) == 0
    assert pruned_zeros(counts) == counts.zeros == pytest.approx(share * 128**2, abs=1)
    assert fit_laws(counts, GENNORM)["gennorm"].params["beta"] == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize("dtype", ["F32", "BF16", "F8_E4M3"])
def test_the_hole_reaches_to_the_threshold_in_any_type(dtype, counts_of, stored_as):
    """Within the type's own spacing."""
    x = _pruned(_gaussian(1), 0.5)
    counts = counts_of(x) if dtype == "F32" else stored_as(x, dtype)
    least = np.abs(x[x != 0]).min()
    assert hole_of_pruning(counts) == pytest.approx(least, rel=2**-4)


@pytest.mark.parametrize("precision", [np.float64, np.float32, np.float16])
def test_values_of_a_narrower_type_in_float64_are_no_lattice(precision, counts_of):
    """Their cells have no width, half the spacing of float64 being rounded to their last bit."""
    dense = _gaussian(0).ravel().astype(precision).astype(np.float64)
    counts = counts_of(_pruned(dense, 0.3))
    assert hole_of_pruning(counts) == pytest.approx(np.quantile(np.abs(dense), 0.3), rel=1e-3)
    beta = fit_laws(counts, GENNORM)["gennorm"].params["beta"]
    before = fit_laws(counts_of(dense), GENNORM)["gennorm"].params["beta"]
    assert beta == pytest.approx(before, abs=0.03)


@pytest.mark.parametrize(
    "x",
    [
        _pruned(_gaussian(2), 0.5),
        _two_of_four(_gaussian(3)),
        _int4(_pruned(_gaussian(4), 0.5)),
        _pruned(_int4(_gaussian(5)), 0.5),
    ],
    ids=["by magnitude", "2:4", "int4 after", "int4 before"],
)
def test_sums_without_the_centre_are_unknown(x, counts_of):
    """Of bins and of single values, whatever the order of pruning and rounding."""
    for bins in (True, False):
        counts = counts_of(x, bins=bins)
        assert centre_is_pruned(counts)
        assert pruned_zeros(counts) > 0


def test_other_zeros_leave_the_centre(counts_of, stored_as):
    """Random pruning, a quantiser's own zeros, and the steps of subnormal numbers."""
    g = np.random.default_rng(6)
    x = _gaussian(6)
    for counts in (
        counts_of(x),
        counts_of(np.where(g.random(x.shape) < 0.5, 0.0, x), bins=True),
        stored_as(np.where(g.random(x.shape) < 0.5, 0.0, x), "BF16"),
        counts_of(_int4(x), bins=True),
        counts_of(np.round(x * 4) / 4),
        stored_as(x * 2.0**-22, "F16"),
    ):
        assert hole_of_pruning(counts) is None
        assert not centre_is_pruned(counts)
