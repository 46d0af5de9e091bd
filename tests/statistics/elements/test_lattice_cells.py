"""Cells of values on lattices, whatever type holds them."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.statistics.elements.excess_zeros import excess_zeros
from weightscope.statistics.elements.lattice_cells import with_lattice_cells
from weightscope.statistics.elements.shape import beta_moment, weibull_k
from weightscope.statistics.laws import LAWS
from weightscope.statistics.laws.fitting import fit_laws

FITTED = [law for law in LAWS if law.name in ("normal", "gennorm")]
NEGATIVE = [-1.0, -0.6962, -0.5251, -0.3949, -0.2844, -0.1848, -0.0911]
POSITIVE = [0.0796, 0.1609, 0.2461, 0.3379, 0.4407, 0.5626, 0.723, 1.0]
NF4 = np.array([*NEGATIVE, 0.0, *POSITIVE])


def _quantised(width: int, levels: int, n: int = 65_536) -> np.ndarray:
    """A Gaussian after round-to-nearest in groups of `width`."""
    x = np.random.default_rng(0).normal(0, 0.02, n).reshape(-1, width)
    step = np.abs(x).max(1, keepdims=True) / levels
    return (np.round(x / step) * step).ravel()


def _codebook(width: int) -> np.ndarray:
    x = np.random.default_rng(0).normal(0, 0.02, 65_536).reshape(-1, width)
    size = np.abs(x).max(1, keepdims=True)
    edges = (NF4[1:] + NF4[:-1]) / 2
    return (NF4[np.searchsorted(edges, x / size)] * size).ravel()


LATTICES = {
    "int4 per row": _quantised(512, 7),
    "int4 in groups of 32": _quantised(32, 7),
    "int4": _quantised(65_536, 7),
    "int8 per row": _quantised(512, 127),
    "nf4 per row": _codebook(512),
    "pruned by magnitude": np.where(
        np.abs(_quantised(65_536, 10**6)) < 0.01, 0, _quantised(65_536, 10**6)
    ),
}


@pytest.mark.parametrize("dtype", ["BF16", "bins"])
@pytest.mark.parametrize("name", LATTICES)
def test_beta_is_that_of_the_law_behind_the_lattice(name, dtype, counts_of, stored_as):
    """A Gaussian has beta 2 after any quantiser, with its zeros."""
    x = LATTICES[name]
    counts = counts_of(x, bins=True) if dtype == "bins" else stored_as(x, dtype)
    assert excess_zeros(counts) == 0
    fits = fit_laws(counts, FITTED)
    assert fits["gennorm"].n == len(x)
    assert fits["gennorm"].params["beta"] == pytest.approx(2, abs=0.06)
    # In bins the 15 values of int4 have cells of 0.93 std for steps of 0.66: 0.031.
    assert fits["normal"].ks < 0.035


def test_the_same_values_have_the_same_cells_in_any_type(stored_as):
    """Values of fp8 in bf16 have the fits of fp8."""
    x = np.random.default_rng(0).normal(0, 0.02, 65_536)
    narrow = stored_as(x, "F8_E4M3")
    wide = stored_as(np.repeat(narrow.value, narrow.counts), "BF16")
    one, two = (fit_laws(counts, FITTED) for counts in (narrow, wide))
    for law in ("normal", "gennorm"):
        assert two[law].params == pytest.approx(one[law].params, rel=1e-3, abs=1e-6)
        assert two[law].ks == pytest.approx(one[law].ks, abs=2e-4)
    assert beta_moment(wide) == pytest.approx(beta_moment(narrow), abs=2e-3)
    assert weibull_k(wide) == pytest.approx(weibull_k(narrow), abs=2e-3)


@pytest.mark.parametrize("step", [0.25, 0.5])
def test_moments_do_not_know_the_step(step, counts_of):
    """beta_moment of a Gaussian on a step is 2, not the 1.7 of its rounded values."""
    x = np.random.default_rng(0).normal(size=100_000)
    assert beta_moment(counts_of(step * np.round(x / step))) == pytest.approx(2, abs=0.03)


def test_weibull_slope_does_not_know_the_sign(counts_of, stored_as):
    """W and -W have one slope, with ties and without."""
    g = np.random.default_rng(0)
    x = g.normal(0.004, 0.01, 3000)
    assert weibull_k(stored_as(x, "F8_E4M3")) == weibull_k(stored_as(-x, "F8_E4M3"))
    assert weibull_k(counts_of(np.round(x, 3))) == weibull_k(counts_of(-np.round(x, 3)))


def test_ordinary_weights_keep_their_cells(counts_of, stored_as):
    """Fine cells, few weights and three values are no lattice."""
    x = np.random.default_rng(0).normal(size=30_000)
    for counts in (
        counts_of(x),
        counts_of(x, bins=True),
        stored_as(x, "BF16"),
        stored_as(np.append(x, np.zeros(5000)), "BF16"),
        counts_of(np.round(x[:60], 1)),
        counts_of(np.sign(np.round(x))),
    ):
        assert with_lattice_cells(counts) is counts


def test_cells_of_a_step_are_as_wide_as_the_step(counts_of):
    """With the weights and the values as they were."""
    x = np.round(np.random.default_rng(0).normal(0, 30, 20_000)) / 100 + 5
    cells = with_lattice_cells(counts_of(x))
    assert cells.value.tolist() == np.unique(x).tolist()
    assert cells.counts.sum() == len(x)
    assert np.median(cells.high - cells.low) == pytest.approx(0.01, rel=1e-6)


def test_pruning_of_a_lattice_is_an_excess(counts_of):
    """Half of the values of int4 set to zero leave half of the weights in excess."""
    g = np.random.default_rng(0)
    x = np.where(g.random(65_536) < 0.5, 0.0, _quantised(512, 7))
    assert excess_zeros(counts_of(x)) == pytest.approx(32_768, rel=0.1)
