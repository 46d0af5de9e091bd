"""Effect sizes: against scipy on exact values, and zero for true laws stored in narrow types."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from weightscope.statistics.elements.even_cells import NARROW, share_below
from weightscope.statistics.laws import LAWS
from weightscope.statistics.laws.cells import prepare
from weightscope.statistics.laws.edges import FAR, edges_of
from weightscope.statistics.laws.fitting import fit_laws
from weightscope.statistics.laws.goodness import goodness, log_likelihood

NORMAL = LAWS[0]
STANDARD = {"mu": 0.0, "sigma": 1.0}
EACH = pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
WITH_MEAN = pytest.mark.parametrize(
    "law", [law for law in LAWS if law.has_mean], ids=lambda law: law.name
)


@EACH
@pytest.mark.parametrize("n", [300, 30_000])
def test_ks_equals_scipy(law, n, counts_of):
    """ks is the Kolmogorov-Smirnov statistic of the sample, with and without a table of the cdf."""
    x = np.random.default_rng(0).standard_t(6, n)
    fit = fit_laws(counts_of(x), (law,))[law.name]
    assert fit.ks == pytest.approx(
        stats.kstest(x, lambda t: law.cdf(t, fit.params), method="asymp").statistic, abs=2e-6
    )


@EACH
def test_w1_is_the_area_between_distribution_functions(law, counts_of):
    """Out to 1.1e6 sigma, where the area ends for a law without a mean too."""
    x = np.sort(np.random.default_rng(1).normal(size=300))
    fit = fit_laws(counts_of(x), (law,))[law.name]
    std = x.std()
    outer = std * np.geomspace(4, 1.1 * FAR, 5000)
    t = np.sort(np.concatenate((-outer, np.linspace(-4, 4, 40_001) * std, outer)))
    middle = (t[1:] + t[:-1]) / 2
    gap = np.searchsorted(x, middle) / len(x) - law.cdf(middle, fit.params)
    assert fit.w1 == pytest.approx(np.abs(gap) @ np.diff(t) / std, rel=0.01, abs=1e-4)


@WITH_MEAN
@pytest.mark.parametrize(("n", "fine"), [(300, 20), (30_000, 1)])
def test_w1_equals_a_sum_over_quantiles(law, n, fine, counts_of):
    """w1 is the mean distance of sorted weights from the law's quantiles, in units of sigma."""
    x = np.random.default_rng(1).normal(size=n)
    fit = fit_laws(counts_of(x), (law,))[law.name]
    q = (np.arange(n * fine) + 0.5) / (n * fine)  # w1 within 0.2%
    want = np.abs(np.repeat(np.sort(x), fine) - law.ppf(q, fit.params)).mean() / x.std()
    assert fit.w1 == pytest.approx(want, rel=0.01, abs=1e-4)


def test_w1_of_one_outlier_is_its_distance(counts_of):
    """Moving one of n weights by d costs d/n: the gap between cells is integrated, not skipped."""
    x = np.append(stats.norm.ppf((np.arange(9999) + 0.5) / 9999), [300.0])
    cells = prepare(counts_of(x))
    distance = goodness(
        edges_of(cells),
        NORMAL,
        {"mu": -cells.centre / cells.scale, "sigma": 1 / cells.scale},
        cells.n,
    )
    assert distance.w1 * cells.scale == pytest.approx(300 / 10_000, rel=0.02)


@pytest.mark.parametrize("dtype", [None, "BF16", "F16", "F8_E4M3", "F8_E5M2"])
def test_a_true_normal_costs_no_bits(dtype, counts_of, stored_as):
    """kl_bits of 10,000 normal weights is about 0 in any stored type; the biased figure is 0.19."""
    got = []
    for seed in range(4):
        x = np.random.default_rng(seed).normal(0, 0.5, 10_000)
        counts = stored_as(x, dtype) if dtype else counts_of(x)
        got.append(fit_laws(counts, LAWS[:1])["normal"].kl_bits)
    assert np.mean(got) == pytest.approx(0, abs=0.004)


def _stepped(x, step):
    return step * np.round(x / step)


@pytest.mark.parametrize("n", [100, 300])
@pytest.mark.parametrize("grid", ["float64", "shifted", "F8_E4M3", "step"])
def test_kl_bits_has_no_bias_on_any_grid(n, grid, counts_of, stored_as):
    """Over 30 Gaussian samples the mean is 0 within its error and 0.005 bits."""
    g, got = np.random.default_rng(n), []
    for _ in range(30):
        x = g.normal(size=n)
        if grid == "F8_E4M3":
            counts = stored_as(0.02 * x, grid)
        elif grid == "shifted":
            counts = counts_of((1 + 0.02 * x).astype(np.float32))
        elif grid == "step":
            counts = counts_of(_stepped(x, 0.5))
        else:
            counts = counts_of(x)
        got.append(fit_laws(counts, LAWS[:1])["normal"].kl_bits)
    assert abs(np.mean(got)) < 0.005 + 2.5 * np.std(got) / 30**0.5


def test_kl_bits_does_not_know_a_shift(counts_of):
    """The same numbers about 0 and about 1."""
    x = np.float32(0.02) * np.random.default_rng(0).normal(size=384).astype(np.float32)
    one, two = (fit_laws(counts_of(y), LAWS[:1])["normal"].kl_bits for y in (x, x + np.float32(1)))
    assert two == pytest.approx(one, abs=1e-3)


@pytest.mark.parametrize("n", [99, 100])
def test_kl_bits_of_few_weights_is_null(n, counts_of):
    """Below 100 weights the bias is not known to 0.005 bits."""
    fit = fit_laws(counts_of(np.random.default_rng(0).normal(size=n)), LAWS[:1])["normal"]
    assert (fit.kl_bits is None) == (n < 100)


def test_kl_bits_of_a_wrong_law_is_its_divergence(stored_as):
    """Laplace weights under a normal lose the divergence of their probabilities on 256 cells."""
    x = np.random.default_rng(0).laplace(size=1_000_000)
    p = np.diff(stats.laplace.cdf(stats.norm.ppf(np.arange(257) / 256, scale=np.sqrt(2))))
    got = fit_laws(stored_as(x, "BF16"), LAWS[:1])["normal"].kl_bits
    assert got == pytest.approx(p @ np.log2(256 * p), rel=0.02)


def test_rounding_to_fp8_is_no_misfit(stored_as):
    """A true normal stored as e4m3 is within 0.0015 by cells; by values it is 0.0149 away."""
    x = np.random.default_rng(0).normal(size=1_000_000)
    assert fit_laws(stored_as(x, "F8_E4M3"), LAWS[:1])["normal"].ks < 0.0015
    assert fit_laws(stored_as(0.02 * x, "F8_E4M3"), LAWS[:1])["normal"].ks < 0.0015


def test_likelihood_of_cells_is_their_probability(stored_as):
    """On a coarse lattice the log-likelihood is sum n ln(F(high) - F(low)) of all cells."""
    counts = stored_as(np.random.default_rng(0).normal(0, 0.01, 50_000), "F8_E4M3")
    fit = fit_laws(counts, LAWS[:1])["normal"]
    normal = stats.norm(fit.params["mu"], fit.params["sigma"])
    assert fit.loglik == pytest.approx(
        counts.counts @ np.log(normal.cdf(counts.high) - normal.cdf(counts.low)), rel=1e-6
    )


@EACH
def test_likelihood_of_fine_cells_is_density_times_width(law, counts_of):
    """On exact values the log-likelihood is sum ln f + sum ln width."""
    x = np.random.default_rng(0).normal(0, 0.01, 2000)
    counts = counts_of(x.astype(np.float32))
    counts = type(counts)(
        **{**vars(counts), "low": counts.value - 1e-9, "high": counts.value + 1e-9}
    )
    fit = fit_laws(counts, (law,))[law.name]
    want = law.logpdf(counts.value, fit.params).sum() + 2000 * np.log(2e-9)
    assert fit.loglik == pytest.approx(want, rel=1e-6)


def test_cells_far_out_have_a_finite_likelihood(stored_as):
    """One weight at 175 sigma, where a normal cell's probability is 0 in float64."""
    cells = prepare(
        stored_as(np.append(np.random.default_rng(0).normal(size=1000), [175.0]), "BF16")
    )
    narrow = {"mu": 0.0, "sigma": 1 / cells.scale}
    assert np.isfinite(log_likelihood(cells, NORMAL, narrow))


def test_overlapping_cells_of_two_types(stored_as):
    """The union of e4m3 and bf16 normals is a normal still."""
    g = np.random.default_rng(0)
    both = stored_as(g.normal(size=200_000), "F8_E4M3") + stored_as(g.normal(size=200_000), "BF16")
    assert (both.low[1:] < both.high[:-1]).any()
    fit = fit_laws(both, LAWS[:1])["normal"]
    assert fit.ks < 0.01
    assert fit.w1 < 0.02


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_the_cell_of_pruned_weights_is_no_misfit(precision, counts_of):
    """One wide cell among values counted exactly, whose neighbours reach into it by rounding."""
    g = np.random.default_rng(0)
    w = g.normal(0, 0.02, 30_000).astype(precision)
    fits_before = fit_laws(counts_of(w), (NORMAL,))["normal"]
    w[np.abs(w) < np.quantile(np.abs(w), 0.3)] = 0
    fit = fit_laws(counts_of(w), (NORMAL,))["normal"]
    assert fit.ks == pytest.approx(fits_before.ks, abs=0.003)
    assert fit.w1 == pytest.approx(fits_before.w1, abs=0.003)
    assert fit.kl_bits == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("widest", [1e-7, 1e-3])
def test_narrow_and_wide_overlapping_cells_share_their_edges(widest):
    """Against a loop over cells: narrow ones that hold an edge count half, wide ones in part."""
    g = np.random.default_rng(4)
    centre = np.sort(g.normal(size=40))
    half = np.where(np.arange(40) % 3 == 0, 0.2, widest / 2)
    low, high, share = centre - half, centre + half, np.full(40, 1 / 40)
    x = np.sort(np.concatenate((low, high)))
    want = []
    for edge in x:
        inside = np.clip((edge - low) / (high - low), 0, 1)
        narrow = (inside > 0) & (inside < 1) & (half < NARROW / 2)
        want.append(np.where(narrow, 0.5, inside).mean())
    np.testing.assert_allclose(share_below(low, high, share, x), want, atol=1e-12)
