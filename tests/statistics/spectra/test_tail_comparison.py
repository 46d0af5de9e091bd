"""Ratios against the package `powerlaw`, and error rates of the law that they name."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from weightscope.statistics.spectra.power_law import PowerLaw, power_law
from weightscope.statistics.spectra.tail_comparison import (
    Comparison,
    Ratio,
    comparison,
    law_of_tail,
    reason_against,
)

# normalised ratio and p of powerlaw 1.5, distribution_compare("power_law", ...,
# normalized_ratio=True) for lognormal, exponential and truncated_power_law on _oracle(name)
POWERLAW = {
    "lognormal": (
        (-0.8578464721308552, 0.3909772446943822),
        (0.7206112823745427, 0.471148710294959),
        (-1.0931449787612952, 0.11935503925910429),
    ),
    "exponential": (
        (-0.3159764172067395, 0.7520204081514476),
        (0.3695067662046615, 0.7117500307633984),
        (-0.44109721942039265, 0.5264133451493376),
    ),
    "pareto": (
        (-0.0942887679564241, 0.9248797720370934),
        (1.414121863110643, 0.15732612485152864),
        (-0.08247832860160517, 0.9256814255386752),
    ),
    "steep": (
        (0.0038909837652670643, 0.9968954519610433),
        (1.0494899294762072, 0.29395268775997696),
        (-0.030098991101891293, 0.9667805803032147),
    ),
}


def _oracle(name: str) -> np.ndarray:
    rng = np.random.default_rng(5)
    if name == "lognormal":
        return np.exp(rng.normal(size=300))
    if name == "exponential":
        return rng.exponential(size=200)
    if name == "pareto":
        return rng.pareto(1.5, 150) + 1
    return rng.pareto(2.6, 120) + 1


def _fit(x: np.ndarray) -> tuple[PowerLaw, Comparison]:
    fit = power_law(x)
    assert fit
    ratios = comparison(x, fit.xmin)
    assert ratios
    return fit, ratios


@pytest.mark.parametrize("name", POWERLAW)
def test_ratios_and_p_values_are_those_of_powerlaw(name):
    """Its optimiser stops within 1e-4; near 0 the ratio is that of two equal likelihoods."""
    _, ratios = _fit(_oracle(name))
    for ratio, (expected, p) in zip(
        (ratios.log_normal, ratios.exponential, ratios.truncated), POWERLAW[name], strict=True
    ):
        assert ratio.normalised == pytest.approx(expected, rel=3e-4, abs=0.007)
        assert ratio.p == pytest.approx(p, rel=3e-4, abs=0.002)


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_the_unit_changes_no_ratio(unit):
    """Ratios are of lambda/xmin."""
    x = _oracle("lognormal")
    fit, ratios = _fit(x)
    scaled = comparison(x * unit, fit.xmin * unit)
    for name in ("log_normal", "exponential", "truncated"):
        found, expected = getattr(scaled, name), getattr(ratios, name)
        assert found.normalised == pytest.approx(expected.normalised, rel=1e-6)
        assert found.p == pytest.approx(expected.p, rel=1e-6)


def test_no_ratio_of_equal_or_endless_values():
    """All values equal, or spread over more than e^300."""
    assert comparison(np.full(20, 3.0), 3.0) is None
    assert comparison(np.array([1e-300, 1e-3, 1e10]), 1e-300) is None
    assert comparison(np.array([]), 1.0) is None


def test_a_pareto_tail_needs_no_cut_off():
    """Where no rate is likelier than 0 the ratio is 0 and p is 1."""
    z = (np.arange(1, 401) / 401) ** -0.4
    ratios = comparison(np.append(z, 200.0), float(z[-1]))
    assert (ratios.truncated.total, ratios.truncated.normalised, ratios.truncated.p) == (0, 0, 1)


DRAWS = {
    "exponential": lambda rng: rng.exponential(size=200),
    "lognormal": lambda rng: np.exp(rng.normal(size=150)),
    "pareto": lambda rng: rng.pareto(1.5, 150) + 1,
}


def _laws(name: str) -> list[tuple[str, bool]]:
    """Law and note of tails of 50 values and more, of 80 samples."""
    rng = np.random.default_rng(2)
    fits = []
    for _ in range(80):
        x = DRAWS[name](rng)
        fit = power_law(x)
        if fit.tail >= 50:
            ratios = comparison(x, fit.xmin)
            fits.append((law_of_tail(fit, ratios), reason_against(fit, ratios) is not None))
    return fits


@pytest.mark.parametrize("name", ["exponential", "lognormal"])
def test_other_tails_are_rarely_named_power_law(name):
    """At most 10% of tails of 50 values and more, and half of them or more have the note."""
    laws = _laws(name)
    assert len(laws) >= 20
    assert sum(law == "power_law" for law, _ in laws) <= 0.1 * len(laws)
    assert sum(note for _, note in laws) >= 0.5 * len(laws)


def test_power_laws_are_kept():
    """At least 90% of Pareto tails have no note and no other law; a third or more are named."""
    laws = _laws("pareto")
    assert sum(law in ("power_law", "undecided") for law, _ in laws) >= 0.9 * len(laws)
    assert sum(not note for _, note in laws) >= 0.9 * len(laws)
    assert sum(law == "power_law" for law, _ in laws) >= len(laws) / 3


def _ratio(value: float, total: float = 0.0) -> Ratio:
    return Ratio(total, value, 1.0)


def _law(ks: float, *ratios: Ratio, tail: int = 64) -> tuple[str, str]:
    fit = PowerLaw(3.0, ks, 1.0, tail, 2 / sqrt(tail))
    compared = Comparison(*ratios)
    note = reason_against(fit, compared)
    return law_of_tail(fit, compared), note.text if note else ""


def test_the_rule_of_the_law():
    """Another law below -0.9, the power law from 0 on without objection, else undecided."""
    zero = _ratio(0.0)
    assert _law(0.05, zero, zero, zero) == ("power_law", "")
    assert _law(0.05, _ratio(-0.1), zero, zero) == ("undecided", "")
    assert _law(0.05, zero, _ratio(-0.9), zero) == ("undecided", "")
    far = "not a power law: alpha_ks 0.2 is above 0.8/sqrt(64)"
    assert _law(0.2, zero, zero, zero) == ("undecided", far)
    short = "not a power law: 19 values in the tail, fewer than 20"
    assert _law(0.05, zero, zero, zero, tail=19) == ("undecided", short)
    text = "not a power law: the data prefer "
    likelier = (_ratio(-1, -3.0), _ratio(-1, -2.5), _ratio(-1, -3.1))
    assert _law(0.05, *likelier) == ("exponential", text + "an exponential")
    likelier = (_ratio(-1, -3.2), _ratio(1, 2.0), _ratio(-1, -3.1))
    assert _law(0.05, *likelier) == ("lognormal", text + "a log-normal")
    likelier = (_ratio(-1, -3.0), _ratio(1, 2.0), _ratio(-1, -3.1))
    assert _law(0.05, *likelier) == ("truncated", text + "a truncated power law")
    assert law_of_tail(PowerLaw(3.0, 0.05, 1.0, 64, 0.25), None) == "undecided"
