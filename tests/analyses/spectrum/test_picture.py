"""The plots of `spectrum`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import weightscope as ws
from weightscope.analyses.spectrum.picture import panel
from weightscope.reports.pictures import figure_of
from weightscope.statistics.spectra.bulk import bulk
from weightscope.statistics.spectra.mp_law import mp_cdf
from weightscope.statistics.spectra.power_law import power_law
from weightscope.statistics.spectra.spectrum import Spectrum

OF = {"tensor": "w"}
RNG = np.random.default_rng(0)


def read(w, method="gram"):
    sigma = np.linalg.svd(w, compute_uv=False)
    return Spectrum(
        sigma, *w.shape, method, float(sigma.max(initial=0)) * len(sigma) * 2.0**-50, w.shape
    )


def spiked(m=128, n=512, strength=(9.0, 5.0, 3.0)):
    k = len(strength)
    u, v = (np.linalg.qr(RNG.normal(size=(side, k)))[0] for side in (m, n))
    return RNG.normal(size=(m, n)) + (u * np.array(strength) * (m * n) ** 0.25) @ v.T


SPIKED = read(spiked())
LOW = Spectrum(np.array([5.0, 3.0, 2.0, 1.0, *np.zeros(60)]), 64, 256, "factors", 1e-14, (64, 256))


def curves(spectrum, cut=None):
    """The curves of a panel by the part of their label that names them."""
    return {curve.label.partition(":")[0]: curve for curve in panel(spectrum, cut, OF).curves}


def widths(edges):
    """How wide bins look: as they are up to the noise edge, in logs beyond."""
    return np.diff(np.where(edges > 1, 1 + np.log(np.maximum(edges, 1)), edges))


@pytest.mark.parametrize(
    ("spectrum", "note"),
    [
        (None, "not measured"),
        (Spectrum(np.zeros(0), 0, 0, "gram", 0.0, (4, 4)), "no singular value above zero"),
        (Spectrum(np.zeros(4), 4, 4, "factors", 0.0, (4, 4)), "no singular value above zero"),
    ],
    ids=["none", "no line", "zero product"],
)
def test_a_plot_without_a_spectrum_has_a_note(spectrum, note):
    """No matrix is absent from a plot without a note."""
    found = panel(spectrum, None, OF)
    assert (found.kind, found.title, found.of, found.curves, found.note) == (
        "spectrum",
        "w",
        OF,
        (),
        note,
    )


def test_the_unit_is_the_noise_edge():
    """The law ends at 1, the largest spike is `signal_ratio`, and the scale of weights cancels."""
    drawn, found = curves(SPIKED), bulk(SPIKED.sigma, SPIKED.m, SPIKED.n, SPIKED.floor)
    law, spikes = drawn["Marchenko-Pastur law"], drawn["spikes"]
    assert (law.x[0], law.x[-1]) == pytest.approx((np.sqrt(found.low / found.high), 1))
    assert spikes.x == pytest.approx(SPIKED.sigma[:3] / np.sqrt(found.high))
    assert spikes.x[0] == pytest.approx(found.signal_ratio)
    assert spikes.label == f"spikes: 3 spikes, to {found.signal_ratio:.3g}"
    for scale in (1e-150, 1e150):
        scaled = Spectrum(
            SPIKED.sigma * scale, SPIKED.m, SPIKED.n, "gram", SPIKED.floor * scale, SPIKED.shape
        )
        for name, curve in curves(scaled).items():
            assert curve.label == drawn[name].label
            assert curve.x == pytest.approx(drawn[name].x)
            assert curve.y == pytest.approx(drawn[name].y)


@pytest.mark.parametrize("shape", [(256, 256), (128, 512), (40, 4000)])
def test_bars_and_law_have_the_areas_of_their_shares(shape):
    """Bars have area 1, the law the share of the bulk; its integral is the distribution."""
    spectrum = read(spiked(*shape))
    drawn, k, r = curves(spectrum), 3, min(shape)
    bars, law = drawn["singular values"], drawn["Marchenko-Pastur law"]
    total = float((bars.y[:-1] * widths(bars.x)).sum())
    q = (min(shape) - k) / (max(shape) - k)
    steps = np.diff(law.x) * (law.y[1:] + law.y[:-1]) / 2
    assert steps.sum() / total == pytest.approx((r - k) / r, rel=0.01)
    assert np.cumsum(steps) / steps.sum() == pytest.approx(
        mp_cdf((law.x[1:] * (1 + np.sqrt(q))) ** 2, q), abs=0.005
    )
    assert max(bars.y.max(), law.y.max()) == 1


def test_values_of_zero_are_counted_in_the_label_and_in_no_bar():
    """They would be one bar above all others; the other bars keep their share of all values."""
    half = Spectrum(np.append(SPIKED.sigma[:100], np.zeros(28)), 128, 512, "gram", 1e-9, (128, 512))
    drawn = curves(half)
    bars, law = drawn["singular values"], drawn["Marchenko-Pastur law"]
    assert bars.label == "singular values: 100 of 128 above rounding"
    total, k = float((bars.y[:-1] * widths(bars.x)).sum()), len(drawn["spikes"].x)
    assert float(np.diff(law.x) @ (law.y[1:] + law.y[:-1]) / 2) / total == pytest.approx(
        (128 - k) / 100, rel=0.01
    )


def test_bars_count_the_values_between_their_edges():
    """As numpy's histogram; the last bin is empty, so that the outline closes."""
    bars = curves(SPIKED)["singular values"]
    x = SPIKED.sigma / SPIKED.sigma[0] * curves(SPIKED)["spikes"].x[0]
    heights = np.histogram(x, bars.x)[0] / widths(bars.x)
    assert bars.y[:-1] / bars.y.max() == pytest.approx(heights / heights.max())
    assert bars.y[-1] == 0
    assert bars.style == "steps"


@pytest.mark.parametrize(
    "spectrum", [LOW, read(RNG.normal(size=(64, 4)) @ RNG.normal(size=(4, 256)))], ids=str
)
def test_a_spectrum_without_a_bulk_has_no_law(spectrum):
    """Thin products and exact low rank: non-zero values, in units of noise of the same energy."""
    drawn = curves(spectrum)
    assert list(drawn) == ["singular values", "squares"]
    bars = drawn["singular values"]
    assert bars.label == "singular values: 4 of 64 above rounding"
    rms = np.sqrt((spectrum.sigma**2).sum() / (64 * 256))
    x = spectrum.sigma[:4] / (rms * (np.sqrt(64) + np.sqrt(256)))
    assert np.histogram(x, bars.x)[0] / 4 == pytest.approx(bars.y[:-1] / bars.y.sum())
    assert drawn["squares"].x == pytest.approx(x**2)


def test_thin_factors_have_no_law_even_where_a_bulk_could_be_computed():
    """A product of full rank is treated as a matrix; one with zeros by construction is not."""
    sigma = np.linspace(1.0, 0.0, 16)
    assert "spikes" not in curves(Spectrum(sigma, 16, 16, "factors", 0.0, (16, 16)))
    assert "spikes" in curves(Spectrum(sigma, 16, 16, "gram", 0.0, (16, 16)))


def test_an_unclean_bulk_is_named_in_the_label():
    """Equal values are no Marchenko-Pastur bulk."""
    spectrum = Spectrum(np.ones(64), 64, 64, "gram", 0.0, (64, 64))
    drawn = curves(spectrum)
    assert drawn["Marchenko-Pastur law"].label == "Marchenko-Pastur law: no clean bulk"
    assert drawn["spikes"].label == "spikes: no spike"
    assert curves(SPIKED)["Marchenko-Pastur law"].label == "Marchenko-Pastur law"


@pytest.mark.parametrize("cut", [None, float(SPIKED.sigma[60]) ** 2])
def test_the_tail_is_the_share_of_squares_at_least_as_large(cut):
    """Of those above the cut; the law starts at xmin with its share, and falls by alpha - 1."""
    drawn = curves(SPIKED, cut)
    tail, law = drawn["squares"], drawn["power law"]
    edge = SPIKED.sigma[0] / drawn["spikes"].x[0]
    kept = SPIKED.above[SPIKED.above > (cut or 0)]
    direct = [(kept / edge**2 >= x * (1 - 1e-12)).mean() for x in tail.x]
    assert tail.y == pytest.approx(direct)
    assert len(kept) == (128 if cut is None else 60)
    assert tail.y[[0, -1]] == pytest.approx([1 / len(kept), 1])
    fit = power_law(kept)
    assert law.label.startswith(f"power law: alpha {fit.alpha:.3g}")
    assert law.x[[0, -1]] == pytest.approx(np.array([fit.xmin, kept.max()]) / edge**2)
    assert law.y[0] == pytest.approx(fit.tail / len(kept))
    assert np.diff(np.log(law.y)) / np.diff(np.log(law.x)) == pytest.approx(
        np.full(199, 1 - fit.alpha)
    )


def test_a_poor_power_law_is_named_in_the_label():
    """As the note of the table; a true Pareto tail has the exponent alone."""
    pareto = np.sqrt((np.arange(1, 2001) / 2001) ** -0.5)
    good = curves(Spectrum(pareto, 2000, 4000, "gram", 0.0, (2000, 4000)))
    assert good["power law"].label == "power law: alpha 3"
    assert len(good["squares"].x) <= 200
    assert good["squares"].y[[0, -1]] == pytest.approx([1 / 2000, 1])
    even = np.sqrt(np.linspace(1, 4, 400))
    poor = curves(Spectrum(even, 400, 400, "gram", 0.0, (400, 400)))
    assert poor["power law"].label.endswith(", not a power law")


@pytest.mark.parametrize(("tail", "drawn"), [(9, False), (10, True)])
def test_a_tail_of_fewer_than_ten_values_has_no_line(tail, drawn):
    """The picture shows an exponent only where the table has one."""
    sigma = np.sqrt(2.0 ** np.arange(tail, 0, -1))
    assert ("power law" in curves(Spectrum(sigma, tail, 64, "gram", 0.0, (tail, 64)))) == drawn


@pytest.mark.parametrize(
    "sigma",
    [
        [1.0],
        [1e-200],
        [2.0, 2.0],
        [3.0, 1e-160],
        [1e140, 1e-10, 0.0],
        [1e-200, 0.0],
        [1e-308, 1e-320],
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["gram", "factors"])
def test_odd_spectra_have_plots(sigma, method):
    """One value, equal values, and underflowing squares: finite curves and no warning."""
    spectrum = Spectrum(np.array(sigma), len(sigma), 9, method, 0.0, (len(sigma), 9))
    found = panel(spectrum, None, OF)
    assert found.note == ""
    assert all(np.isfinite(curve.x).all() and np.isfinite(curve.y).all() for curve in found.curves)
    assert len(figure_of([found]).axes) == 2


def test_a_report_has_one_picture_for_each_matrix():
    """Linked to its row; every curve is in the figure."""
    model = {
        "a.weight": torch.as_tensor(spiked(48, 96)),
        "b.weight": torch.zeros(4, 4),
        "norm.weight": torch.ones(9),
    }
    report = ws.spectrum(model)
    notes = {found.of["tensor"]: found.note for found in report.panels}
    lacks = {"b.weight": "no singular value above zero", "norm.weight": "a vector: no spectrum"}
    assert notes == {"a.weight": ""} | lacks
    assert len(report.plot().axes) == 2
