"""Scores of the largest singular value: noise of many laws, planted directions, and signs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import ndtri

from tests.statistics.spectra.noise import largest
from weightscope.statistics.spectra.bulk import bulk, signal_ratio_score
from weightscope.statistics.spectra.edge_law import edge_law, edge_score, score
from weightscope.statistics.spectra.linear_statistic import Elements, elements_of
from weightscope.statistics.spectra.null_distance import tail_excess, tail_excess_score
from weightscope.statistics.spectra.rank_one_law import Edge, alone

LAWS = {
    "Gaussian": lambda random, shape: random.standard_normal(shape),
    "sparse": lambda random, shape: random.standard_normal(shape) * (random.random(shape) < 0.3),
    "exponential": lambda random, shape: random.exponential(size=shape) - 1,
    "signs": lambda random, shape: random.choice([-1.0, 1.0], shape),
    "t4": lambda random, shape: random.standard_t(4, shape),
}


def _sigma(w: np.ndarray) -> np.ndarray:
    short = w if w.shape[0] <= w.shape[1] else w.T
    return np.sqrt(np.linalg.eigvalsh(short @ short.T)[::-1].clip(0))


def _elements(w: np.ndarray, counts_of) -> Elements | None:
    m, n = w.shape
    return elements_of(SimpleNamespace(m=m, n=n, shape=w.shape, low_rank=False), counts_of(w))


def _score(w: np.ndarray, counts_of) -> float | None:
    m, n = w.shape
    elements = _elements(w, counts_of)
    return tail_excess_score(tail_excess(_sigma(w), m, n), m, n, elements)


def _ratio_score(w: np.ndarray, counts_of) -> float | None:
    m, n = w.shape
    elements = _elements(w, counts_of)
    return signal_ratio_score(bulk(_sigma(w), m, n), m, n, elements)


def _planted(seed: int, size: float) -> np.ndarray:
    """128 x 128 noise and one direction of `size` times the threshold (mn)^(1/4)."""
    random = np.random.default_rng(seed)
    u, v = random.standard_normal((2, 128))
    direction = np.outer(u / np.linalg.norm(u), v / np.linalg.norm(v))
    return random.standard_normal((128, 128)) + size * 128**0.5 * direction


@pytest.mark.parametrize(("m", "n"), [(40, 40), (24, 150)])
def test_quantiles_of_gaussian_noise_are_those_of_its_order(m, n):
    """Without any law: the score of the k-th of 4,000 draws is the normal quantile of k/4,000."""
    values, energy = largest(m, n, 4000, np.random.default_rng(3))
    edge = Edge.of(m, n)
    centre, scale = edge.law
    shares = np.array([0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98])
    points = (np.quantile(values * m * n / energy, shares) - centre) / scale
    scores = [score(point, alone(edge)) for point in points]
    assert scores == pytest.approx(ndtri(shares), abs=0.15)


@pytest.mark.parametrize("law", LAWS)
def test_scores_of_noise_are_standard(law, counts_of):
    """60 draws of 40 x 80: near 0 with deviation near 1, whatever the elements."""
    random = np.random.default_rng(5)
    scores = [_score(LAWS[law](random, (40, 80)), counts_of) for _ in range(60)]
    known = np.array([each for each in scores if each is not None])
    assert len(known) > 36
    assert np.mean(known) == pytest.approx(0, abs=0.3)
    assert 0.8 < np.std(known) < 1.25


@pytest.mark.parametrize("size", [4.0, 8.0, 11.0])
def test_one_far_weight_is_no_direction(size, counts_of):
    """At 4, 8 and 11 std in 64 x 64 noise tau is 0.25, 1 and 1.9, and the score is standard."""
    scores = []
    for seed in range(50):
        w = np.random.default_rng(seed).standard_normal((64, 64))
        w[3, 5] = size
        scores.append(_score(w, counts_of))
    assert np.mean(scores) == pytest.approx(0, abs=0.3)
    assert 0.8 < np.std(scores) < 1.2


def test_a_planted_direction_has_a_high_score(counts_of):
    """Twice the threshold: beyond 3 in every draw."""
    assert min(_score(_planted(seed, 2.0), counts_of) for seed in range(10)) > 3
    assert min(_ratio_score(_planted(seed, 2.0), counts_of) for seed in range(10)) > 3


def test_a_direction_below_the_threshold_is_noise(counts_of):
    """Half the threshold: scores stay within noise."""
    scores = [_score(_planted(seed, 0.5), counts_of) for seed in range(30)]
    assert np.abs(scores).max() < 3.5
    assert np.mean(scores) == pytest.approx(0, abs=0.5)


def test_even_spectra_have_negative_scores(counts_of):
    """An orthogonal matrix, and noise without its largest singular values."""
    noise = np.random.default_rng(2).standard_normal((96, 96))
    u, sigma, v = np.linalg.svd(noise)
    assert _score(u @ v, counts_of) < -10
    clipped = np.minimum(sigma, np.quantile(sigma, 0.9))
    assert _score(u * clipped @ v, counts_of) < -3


def test_scores_rise_with_the_value():
    """From half the edge to far beyond it, strictly and finite."""
    values = np.concatenate([np.linspace(60, 400, 200), np.geomspace(401, 4000, 20)])
    scores = [edge_score(float(value), 64, 64, Elements(0.0)) for value in values]
    assert np.isfinite(scores).all()
    assert (np.diff(scores) > 0).all()


def test_both_scores_agree_without_and_with_one_spike(counts_of):
    """Of noise and of one direction; among three the bulk's scale is smaller than the whole's."""
    noise = np.random.default_rng(9).standard_normal((80, 120))
    assert _ratio_score(noise, counts_of) == pytest.approx(_score(noise, counts_of))
    for_one = _planted(1, 2.5)
    assert bulk(_sigma(for_one), 128, 128).spikes == 1
    assert _ratio_score(for_one, counts_of) == pytest.approx(_score(for_one, counts_of))
    random = np.random.default_rng(4)
    u = np.linalg.qr(random.standard_normal((128, 3)))[0]
    v = np.linalg.qr(random.standard_normal((128, 3)))[0]
    for_three = random.standard_normal((128, 128)) + 40 * u @ v.T
    assert bulk(_sigma(for_three), 128, 128).spikes == 3
    assert _ratio_score(for_three, counts_of) > _score(for_three, counts_of) + 1


def test_the_unit_and_the_orientation_change_nothing(counts_of):
    """1e-30 W and the transpose have the scores of W."""
    w = np.random.default_rng(6).laplace(size=(40, 90))
    assert _score(w * 2.0**-100, counts_of) == pytest.approx(_score(w, counts_of), rel=1e-9)
    assert _score(w.T, counts_of) == pytest.approx(_score(w, counts_of), rel=1e-9)


def test_where_the_law_is_not_known_the_score_is_null():
    """Few elements, two large weights, one with half of the energy, a large shift, no elements."""
    two = Elements(6.0, np.array([1.6, 2.0]), np.ones(2), largest=2.0)
    pair = Elements(6.0, np.array([2.0]), np.full(1, 2.0), largest=2.0)
    half = Elements(2000.0, np.array([33.0]), np.ones(1), largest=33.0)
    assert edge_score(250.0, 64, 64, None) is None
    assert edge_score(50.0, 16, 31, Elements(0.0)) is None
    for elements in (two, pair, half, Elements(20.0)):
        assert edge_score(250.0, 64, 64, elements) is None
    one = Elements(2.0, np.array([0.9, 2.0]), np.ones(2), largest=2.0)
    assert edge_score(250.0, 64, 64, one) is not None


def test_kurtosis_shifts_the_edge_by_its_derivative():
    """K (sqrt m + sqrt n)^2/sqrt(mn) for large matrices: Hwang, Lee and Schnelli."""
    edge = Edge.of(4000, 9000)
    shifted = edge_law(edge, Elements(2.0)).mean - edge_law(edge, Elements(0.0)).mean
    exact = 2.0 * (4000**0.5 + 9000**0.5) ** 2 / 6000 / edge.law[1]
    assert shifted == pytest.approx(exact, rel=0.06)
    assert edge_law(edge, Elements(0.0)).mean == pytest.approx(alone(edge).mean, abs=1e-3)
