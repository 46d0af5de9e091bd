"""Effective depth: known values, the shipped table, planted depths and noise."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy import stats

from tests.noted import told
from weightscope.sketches import Decompose
from weightscope.statistics import spectra
from weightscope.statistics.spectra.effective_depth import (
    ASPECTS,
    DEPTHS,
    FEWEST,
    TABLE,
    _reference,
    effective_depth,
    log_shares,
)
from weightscope.statistics.spectra.mp_law import mp_cdf
from weightscope.statistics.spectra.reference.build import entry, singular_values
from weightscope.statistics.statistic import Evidence, evaluate

PLANTED = (1, 2, 4, 8, 16, 32)


def _values(w: np.ndarray) -> np.ndarray:
    return np.linalg.svd(w, compute_uv=False)


def _literal(m: int, n: int, depths: tuple[int, ...], seed: int) -> list[np.ndarray]:
    """Singular values of P_L as it is defined, with square A_l."""
    rng = np.random.default_rng(seed)
    start = x = np.eye(m, n)
    found = []
    for depth in range(1, max(depths) + 1):
        x = x + rng.normal(0, 1 / sqrt(m), (m, m)) @ x
        found += [_values(x - start)] if depth in depths else []
    return found


def _shape(sigma: np.ndarray) -> tuple[float, ...]:
    """Max and median over rms, share below 0.1 rms, stable rank over their number."""
    relative = sigma / np.sqrt((sigma**2).mean())
    return relative[0], np.median(relative), (relative < 0.1).mean(), 1 / relative[0] ** 2


def _rows(shape: tuple[int, int], spread: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) * np.exp(rng.normal(0, spread, (shape[0], 1)))


def _between(levels: np.ndarray, depths: np.ndarray) -> np.ndarray:
    """The reference at each depth, number by number."""
    return np.array([np.interp(depths, DEPTHS, column) for column in levels.T]).T


def test_the_simulation_gives_the_known_values():
    """Square, d = 384: max and median over rms, share below 0.1 rms and stable rank/d.

    Within the scatter of one random walk.
    """
    known = {
        1: (1.98, 0.809, 0.067, 0.255),
        2: (2.39, 0.666, 0.084, 0.176),
        4: (3.00, 0.421, 0.147, 0.111),
        8: (4.08, 0.151, 0.435, 0.060),
        16: (5.54, 0.019, 0.642, 0.033),
        32: (7.25, 0.0003, 0.778, 0.021),
    }
    for sigma, want in zip(singular_values(384, 384, PLANTED, (1, 4)), known.values(), strict=True):
        got = _shape(sigma)
        assert got[0] == pytest.approx(want[0], rel=0.06)
        assert got[1] == pytest.approx(want[1], rel=0.1, abs=1e-4)
        assert got[2] == pytest.approx(want[2], abs=0.01)
        assert got[3] == pytest.approx(want[3], rel=0.1, abs=0.004)


@pytest.mark.parametrize("shape", [(48, 48), (96, 24)])
def test_the_simulation_has_the_law_of_the_definition(shape):
    """m n random numbers per step have the law of m m: the same mean spectrum over 30 walks."""
    depths = (1, 2, 5)
    thin = [[log_shares(s, 6) for s in singular_values(*shape, depths, (2, i))] for i in range(30)]
    full = [[log_shares(s, 6) for s in _literal(*shape, depths, 1000 + i)] for i in range(30)]
    error = np.sqrt((np.var(thin, 0) + np.var(full, 0)) / 30)
    assert np.all(np.abs(np.mean(thin, 0) - np.mean(full, 0)) < 4 * error)


@pytest.mark.parametrize(("aspect", "levels"), [(0.125, 1), (0.25, 2)])
def test_the_shipped_table_is_what_the_script_makes(aspect, levels):
    """The first levels of a shape, simulated again, equal those that ship."""
    shipped = np.load(TABLE)[ASPECTS.index(aspect)]
    np.testing.assert_allclose(entry(aspect, DEPTHS[:levels]), shipped[:levels], atol=1e-5)


def test_the_table_is_small_and_ordered():
    """Below 300 kB, finite; shares rise, and the smallest fall with depth to the floor."""
    table = np.load(TABLE)
    assert TABLE.stat().st_size < 300_000
    assert table.shape == (len(ASPECTS), len(DEPTHS), 64)
    assert np.all(np.diff(table, axis=2) >= 0)
    assert np.all(np.diff(table[:, :, 16], axis=1) <= 0)


@pytest.mark.parametrize("q", [1.0, 0.99, 0.9, 0.75, 0.4, 0.1, 1 / 64, 1 / 200])
def test_level_one_is_marchenko_pastur(q):
    """L = 1 is the law within a twentieth of the step to L = 2, also between simulated ratios."""
    low, high = 1 - sqrt(q), 1 + sqrt(q)
    sigma = np.linspace(low, high, 20001)
    quantiles = np.interp((np.arange(6400) + 0.5) / 6400, mp_cdf(sigma**2, q), sigma)
    levels = _reference(q)
    step = np.abs(levels[1] - levels[0]).mean()
    assert np.abs(log_shares(quantiles[::-1]) - levels[0]).mean() < 0.06 * step


@pytest.mark.parametrize("shape", [(128, 128), (128, 125), (192, 64), (512, 64)])
def test_planted_depths_are_found(shape):
    """Products of L = 1, 2, 4, 8, 16, 32 at ratios of the table and at others, within 10%."""
    found = [effective_depth(s, *shape)[0] for s in _literal(*shape, PLANTED, 0)]
    assert found == pytest.approx(PLANTED, rel=0.1)


@pytest.mark.parametrize("shape", [(128, 128), (128, 384), (512, 100), (256, 240), (4096, 64)])
def test_noise_is_one(shape):
    """i.i.d. elements of any law have exactly 1, in both orientations."""
    for seed in range(2):
        for law in ("normal", "laplace"):
            w = getattr(np.random.default_rng(seed), law)(size=shape)
            assert effective_depth(_values(w), *shape)[0] == 1.0


def test_the_unit_does_not_matter():
    """A power of two changes nothing, up to the ends of float64."""
    sigma = _literal(128, 128, (3,), 5)[0]
    found = effective_depth(sigma, 128, 128)
    assert [effective_depth(sigma * 2.0**k, 128, 128) for k in (-980, -40, 40, 1000)] == [found] * 4


def test_orientation_does_not_matter():
    """m x n and n x m are one shape."""
    sigma = _literal(256, 64, (4,), 5)[0]
    assert effective_depth(sigma, 256, 64) == effective_depth(sigma, 64, 256)


def test_uneven_rows_look_like_depth():
    """Rows of log-sd 0.5 on square noise have depth 2.5, and a larger spread a larger depth."""
    read = [
        [effective_depth(_values(_rows((192, 192), s, i)), 192, 192)[0] for i in range(4)]
        for s in (0.2, 0.5, 1)
    ]
    low, middle, high = np.mean(read, 1)
    assert 1.1 < low < 1.6
    assert 2.2 < middle < 3.2
    assert high > 4


@pytest.mark.parametrize("shape", [(64, 64), (200, 64), (64, 2000)])
def test_the_distance_is_scipys_and_the_depth_is_the_nearest(shape):
    """With one value per share: a search over L with scipy's Wasserstein distance."""
    sigma = _values(_rows(shape, 0.6, 7))
    values = np.log(np.maximum(sigma / np.sqrt((sigma**2).mean()), 1e-3))
    levels = _reference(min(shape) / max(shape))
    tried = np.arange(1, 64.001, 0.05)
    distances = [stats.wasserstein_distance(values, at) for at in _between(levels, tried)]
    depth, distance = effective_depth(sigma, *shape)
    assert abs(depth - tried[np.argmin(distances)]) <= 0.05
    assert distance == pytest.approx(
        stats.wasserstein_distance(values, _between(levels, np.array(depth))), rel=1e-9
    )
    assert distance <= min(distances)


def test_shares_divide_values():
    """Three values in two shares: the middle one counts half in each; small values are floored."""
    a, b, c = np.log(np.array([1.0, 2.0, 3.0]) / sqrt(14 / 3))
    np.testing.assert_allclose(
        log_shares(np.array([3.0, 2.0, 1.0]), 2), [(a + b / 2) / 1.5, (c + b / 2) / 1.5]
    )
    np.testing.assert_allclose(log_shares(np.array([1.0, 0.0]), 2), [np.log(1e-3), np.log(sqrt(2))])


def test_sixty_four_is_the_end():
    """A spectrum of rank 4 is deeper than any reference, at a large distance."""
    depth, distance = effective_depth(np.array([4.0, 3.0, 2.0, 1.0] + [0.0] * 252), 256, 256)
    assert depth == 64.0
    assert distance > 0.5


def test_few_values_and_zero_matrices_have_no_depth():
    """Fewer than 16 values, and a zero matrix."""
    assert effective_depth(np.ones(FEWEST - 1), 512, FEWEST - 1) is None
    assert effective_depth(np.zeros(64), 64, 64) is None
    assert effective_depth(np.zeros(0), 0, 0) is None
    assert effective_depth(np.ones(FEWEST), 512, FEWEST) == (1.0, pytest.approx(0.077, abs=0.01))


@pytest.mark.parametrize(("length", "distrusted"), [(20 * 64, False), (20 * 66, True)])
def test_depths_of_elongated_shapes_are_distrusted(sketched, length, distrusted):
    """Depths above 1 of elongated shapes have a note; noise has 1 at any length, and no note."""
    noise = np.random.default_rng(1).standard_normal((length, 20))
    uneven = noise * np.linspace(1, 3, 20)
    statistic = spectra.depth(Decompose())
    deep, flat = (
        evaluate([statistic], Evidence(sketched(w), w.shape, "F64")) for w in (uneven, noise)
    )
    assert deep["effective_depth"] > 5
    assert (
        told(deep) == "depth grows with the aspect ratio, here 1:66: compare equal shapes"
    ) == distrusted
    assert (flat["effective_depth"], told(flat)) == (1.0, "")


def test_heavy_noise_has_depth_one_with_its_kurtosis():
    """100 draws of 64 x 64 t(5) elements: some are deeper without it, at most two with it."""
    w = np.random.default_rng(9).standard_t(5, (100, 64, 64))
    kurtosis = (w**4).mean((1, 2)) / (w**2).mean((1, 2)) ** 2 - 3
    sigma = np.linalg.svd(w, compute_uv=False)
    without = [effective_depth(values, 64, 64)[0] for values in sigma]
    beside = [
        effective_depth(values, 64, 64, k)[0] for values, k in zip(sigma, kurtosis, strict=True)
    ]
    assert sum(depth > 1 for depth in without) >= 4
    assert sum(depth > 1 for depth in beside) <= 2
