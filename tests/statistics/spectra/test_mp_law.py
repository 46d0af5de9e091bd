"""The Marchenko-Pastur law against quadrature, the quarter circle and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from weightscope.statistics.spectra.mp_law import mp_cdf, mp_edges, mp_ks, mp_mean_root, mp_pdf

QS = [1e-4, 0.02, 0.25, 0.81, 0.999, 1.0]


def _mean(of, q: float, until: float = 1.0) -> float:
    """Integral of of(x) pdf(x) to that share of the support.

    x = low + width sin^2(u) has no pole at the edges.
    """
    low, high = mp_edges(q)

    def inner(u: float) -> float:
        x = low + (high - low) * np.sin(u) ** 2
        return of(x) * float(mp_pdf(x, q)) * (high - low) * np.sin(2 * u)

    return integrate.quad(inner, 0, np.arcsin(np.sqrt(until)), epsabs=1e-12)[0]


@pytest.mark.parametrize("q", QS)
def test_cdf_is_the_integral_of_pdf(q):
    """The closed form equals quadrature from edge to edge, and the whole is 1."""
    low, high = mp_edges(q)
    for share in (1e-6, 0.01, 0.3, 0.5, 0.9, 0.999999, 1.0):
        want = _mean(lambda x: 1.0, q, share)
        assert float(mp_cdf(low + (high - low) * share, q)) == pytest.approx(want, abs=1e-11)


@pytest.mark.parametrize("q", QS)
def test_mean_is_one_and_mean_root_is_the_closed_form(q):
    """E x = 1, so that x is lambda over its mean; E sqrt(x) is the hypergeometric function."""
    assert _mean(lambda x: x, q) == pytest.approx(1, abs=1e-10)
    assert _mean(np.sqrt, q) == pytest.approx(mp_mean_root(q), abs=1e-10)


@pytest.mark.parametrize("q", QS)
def test_cdf_holds_still_beyond_the_edges_and_rises_between(q):
    """0 and 1 exactly, even an ulp beyond an edge; monotonic up to rounding."""
    low, high = mp_edges(q)
    assert mp_cdf([-1.0, np.nextafter(low, -1), low], q).tolist() == [0, 0, 0]
    assert mp_cdf([high, np.nextafter(high, 9), 1e300], q) == pytest.approx([1, 1, 1], abs=1e-13)
    assert mp_pdf([-1.0, 0.0, low, high, 9.0], q).tolist() == [0, 0, 0, 0, 0]
    inside = mp_cdf(np.linspace(low, high, 5001), q)
    assert np.diff(inside).min() > -1e-13
    assert (inside.min(), inside.max()) == pytest.approx((0, 1), abs=1e-13)


def test_square_is_the_quarter_circle():
    """At q = 1 sqrt(x) has the density sqrt(4 - s^2)/pi, precise at the lower end too."""
    s = np.linspace(0, 2, 101)
    assert mp_cdf(s**2, 1.0) == pytest.approx(
        (s * np.sqrt(4 - s**2) / 2 + 2 * np.arcsin(s / 2)) / np.pi, abs=1e-14
    )
    assert float(mp_cdf(1e-40, 1.0)) == pytest.approx(2e-20 / np.pi, rel=1e-12)


@pytest.mark.parametrize("q", [0.05, 1.0])
@pytest.mark.parametrize("n", [1, 2, 300])
def test_ks_equals_scipy(q, n):
    """Two-sided distance, ties and values beyond the edges included."""
    x = np.sort(np.round(np.random.default_rng(n).gamma(2, 0.7, n), 1))[::-1]
    assert mp_ks(x, q) == pytest.approx(
        stats.kstest(x, lambda v: mp_cdf(v, q)).statistic, abs=1e-14
    )
