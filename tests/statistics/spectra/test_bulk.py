"""Spikes and bulk: false alarms on noise, planted ranks, uneven rows, and the rule as a loop."""

from __future__ import annotations

from dataclasses import asdict
from math import sqrt

import numpy as np
import pytest
from scipy import stats

from weightscope.statistics.spectra.bulk import bulk, bulk_of, values
from weightscope.statistics.spectra.mp_law import mp_cdf
from weightscope.statistics.spectra.spectrum import Spectrum


def _sigma(w: np.ndarray) -> np.ndarray:
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    return np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[::-1], 0))


def _noise(law: str, shape: tuple[int, int], draws: int) -> list[int]:
    return [
        bulk(_sigma(getattr(np.random.default_rng(i), law)(size=shape)), *shape).spikes
        for i in range(draws)
    ]


def _planted(seed: int, m: int, n: int, strength: np.ndarray) -> np.ndarray:
    rng, k = np.random.default_rng(seed), len(strength)
    u, v = (np.linalg.qr(rng.normal(size=(side, k)))[0] for side in (m, n))
    return rng.normal(size=(m, n)) + (u * strength * (m * n) ** 0.25) @ v.T


def _loop(sigma: np.ndarray, m: int, n: int) -> tuple[int, float]:
    """The rule and s2 as they are defined, one k after another."""
    m, n = min(m, n), max(m, n)
    for k in range(len(sigma)):
        variance = sum(s * s for s in sigma[k:]) / ((m - k) * (n - k))
        a, b = sqrt(n - k - 0.5), sqrt(m - k - 0.5)
        if sigma[k] ** 2 <= variance * (
            (a + b) ** 2 + 2.0234 * (a + b) * (1 / a + 1 / b) ** (1 / 3)
        ):
            return k, variance
    raise AssertionError("the rule must hold at k = r - 1")


@pytest.mark.parametrize(
    ("shape", "draws"),
    [((64, 64), 50), ((128, 512), 15), ((256, 256), 1), ((512, 512), 1), ((32, 4096), 17)],
)
def test_noise_has_no_spikes(shape, draws):
    """0 spikes in at least 95% of Gaussian and 88% of Laplace matrices.

    Of 100 at each shape: 100, and 95 to 99.
    """
    assert _noise("normal", shape, draws).count(0) >= 0.95 * draws
    assert _noise("laplace", shape, draws).count(0) >= 0.88 * draws


@pytest.mark.parametrize(("shape", "draws"), [((128, 512), 20), ((256, 256), 1)])
def test_planted_rank_is_counted(shape, draws):
    """Rank 8 at 2 to 4 times the detection threshold (mn)^(1/4): 8 spikes over the true noise."""
    found = [bulk(_sigma(_planted(i, *shape, np.linspace(2, 4, 8))), *shape) for i in range(draws)]
    assert [b.spikes for b in found].count(8) >= 0.95 * draws
    assert [b.sigma for b in found] == pytest.approx([1.0] * draws, rel=0.01)
    assert all(b.clean for b in found)


def test_a_signal_is_measured():
    """One planted direction: its share of the energy and its ratio to the edge."""
    sigma = _sigma(_planted(0, 200, 300, np.array([20.0])))
    found = bulk(sigma, 200, 300)
    edge = found.sigma * (sqrt(299) + sqrt(199))
    assert found.spikes == 1
    assert (sqrt(found.high), found.low) == pytest.approx(
        (edge, (found.sigma * (sqrt(299) - sqrt(199))) ** 2)
    )
    assert found.signal_ratio == pytest.approx(sigma[0] / edge)
    assert found.spike_energy == pytest.approx(sigma[0] ** 2 / (sigma**2).sum())
    x = sigma[1:] ** 2 / (299 * found.sigma**2)
    assert found.ks == pytest.approx(
        stats.kstest(x, lambda v: mp_cdf(v, 199 / 299)).statistic, abs=1e-12
    )
    assert found.ks < 0.03


@pytest.mark.parametrize(
    ("spread", "least", "most"), [(0.1, 0, 3), (0.2, 10, 20), (0.3, 30, 52), (0.5, 90, 126)]
)
def test_uneven_rows_show_as_spikes(spread, least, most):
    """Row scales of log-sd 0.1, 0.2, 0.3, 0.5 have about 1, 15, 42, 110 spikes.

    At 512 x 512, means of 20 matrices.
    """
    rng = np.random.default_rng(4)
    w = np.exp(rng.normal(0, spread, 512))[:, None] * rng.normal(size=(512, 512))
    assert least <= bulk(_sigma(w), 512, 512).spikes <= most


SPECTRA = {
    "noise": np.sort(np.random.default_rng(1).gamma(3, size=40))[::-1],
    "heavy": np.sort(np.random.default_rng(2).pareto(1, size=60))[::-1],
    "geometric": 0.1 ** np.arange(12.0),  # every value towers over the next: k goes to the end
    "equal": np.ones(20),
    "one": np.array([3.0]),
    "two": np.array([3.0, 1e-12]),
    "tiny bottom": np.concatenate((np.ones(30), np.full(30, 1e-120))),
}


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("longer", [0, 1, 5000])
def test_the_rule_is_the_definition(name, longer):
    """The suffix sum equals the loop over k, to the last k and for W.T, without division by 0."""
    sigma, r = SPECTRA[name], len(SPECTRA[name])
    spikes, variance = _loop(sigma, r, r + longer)
    found = bulk(sigma, r, r + longer)
    assert found == bulk(sigma, r + longer, r)
    assert found.spikes == spikes
    assert found.sigma == pytest.approx(sqrt(variance), rel=1e-12)
    assert all(np.isfinite(v) for v in asdict(found).values())


@pytest.mark.parametrize("unit", [2.0**-20, 1e-6, 1e-170, 1e160])
def test_the_unit_of_the_weights_changes_no_count_and_no_ratio(unit):
    """W * 1e-6 has the same spikes, ks and shares; sigma scales, and nothing overflows."""
    sigma = _sigma(_planted(5, 64, 128, np.linspace(1.5, 4, 5)))
    want, got = bulk(sigma, 64, 128), bulk(sigma * unit, 64, 128)
    assert (got.spikes, got.clean) == (want.spikes, want.clean)
    for name in ("ks", "spike_energy", "signal_ratio"):
        assert getattr(got, name) == pytest.approx(getattr(want, name), rel=1e-12)
    assert got.sigma == pytest.approx(want.sigma * unit, rel=1e-12)


def test_a_matrix_without_noise_has_no_bulk():
    """A zero matrix, no lines at all, and a low rank with other values of 0 or below the floor."""
    assert bulk(np.zeros(0), 0, 0) is None
    assert bulk(np.zeros(8), 8, 8) is None
    low = np.concatenate(([9.0, 7, 5, 3], np.zeros(60)))
    assert bulk(low, 64, 64) is None
    dust = low + np.abs(np.random.default_rng(0).normal(0, 1e-9, 64))
    assert bulk(np.sort(dust)[::-1], 64, 64, floor=1e-6) is None
    assert bulk(np.full(8, 1e-9), 8, 8, floor=1e-6) is None
    rng = np.random.default_rng(7)
    assert (
        bulk(_sigma(rng.normal(size=(90, 60)) @ rng.normal(size=(60, 90))), 90, 90, floor=1e-3)
        is None
    )


def test_rounding_is_a_bulk():
    """A rank-4 matrix on a grid of steps: four spikes over noise of step/sqrt 12."""
    rng = np.random.default_rng(6)
    w = np.round(rng.normal(size=(128, 4)) @ rng.normal(size=(4, 256)), 1)
    found = bulk(_sigma(w), 128, 256, floor=1e-6)
    assert found.spikes == 4
    assert found.sigma == pytest.approx(0.1 / sqrt(12), rel=0.02)
    assert found.clean


def test_an_orthogonal_matrix_is_no_clean_bulk():
    """No spikes, yet the values do not follow the law."""
    found = bulk(np.ones(100), 100, 110)
    assert (found.spikes, found.clean) == (0, False)
    assert found.ks > 0.12


@pytest.mark.parametrize(("spikes", "clean"), [(10, True), (11, False)])
def test_too_many_spikes_are_no_clean_bulk(spikes, clean):
    """A clean bulk has at most r/10 spikes, also where it follows the law."""
    rest = _sigma(np.random.default_rng(8).normal(size=(100 - spikes, 400 - spikes)))
    found = bulk(np.concatenate((np.geomspace(200, 50, spikes), rest)), 100, 400)
    assert (found.spikes, found.clean) == (spikes, clean)
    assert found.ks < 0.1


@pytest.mark.parametrize(("below", "known"), [(9, False), (10, True)])
def test_a_bulk_has_ten_values(below, known):
    """Below 54 spikes: with fewer every column is null, with a note."""
    draw = np.random.default_rng(0).standard_normal((below, below))
    noise = np.linalg.svd(draw, compute_uv=False)
    sigma = np.concatenate((np.geomspace(1e9, 1e4, 64 - below), noise))
    split = bulk_of(Spectrum(sigma, 64, 64, "gram", 0.0, (64, 64)))
    assert (split is not None) is known
    columns = values(split)
    assert (columns["mp_sigma"] is not None) is known
    codes = [note.code for note in columns["notes"]]
    assert ("no-bulk" in codes) is not known
