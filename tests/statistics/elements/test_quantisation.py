"""Statistics of quantisation errors: ratios of energies, and nulls with their reason."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from weightscope.sketches import QuantisationError
from weightscope.statistics.elements.quantisation import (
    BEYOND,
    EXACT,
    NOTHING,
    ZERO,
    clipped_share,
    missing,
    rmse,
    sqnr_db,
)


def _rounded(w: np.ndarray, step: float) -> QuantisationError:
    error = np.round(w / step) * step - w
    return QuantisationError(w.size, float((w**2).sum()), float((error**2).sum()))


def test_a_uniform_step_has_six_decibels_a_bit():
    """Uniform weights rounded to 2^-b of their range: 20 b log10 2 dB, relative error 2^-b."""
    w = np.random.default_rng(0).uniform(-1, 1, 400_000)
    for bits in (3, 6, 9):
        error = _rounded(w, 2.0 ** (1 - bits))
        assert sqnr_db(error) == pytest.approx(20 * bits * np.log10(2), abs=0.02)
        assert rmse(error) == pytest.approx(2.0**-bits, rel=0.003)
        assert missing(error) is None


def test_the_energies_of_a_group_are_added():
    """A large tensor of 40 dB and a small one of 0 dB have 39.96 dB together, not 20."""
    large, small = QuantisationError(10, 1e4, 1.0, 0), QuantisationError(10, 0.01, 0.01, 5)
    assert (sqnr_db(large), sqnr_db(small)) == (40.0, 0.0)
    assert sqnr_db(large + small) == pytest.approx(10 * np.log10(10000.01 / 1.01))
    assert clipped_share(large + small) == 0.25


@pytest.mark.parametrize(
    ("error", "reason", "share"),
    [
        (QuantisationError(), NOTHING, None),
        (QuantisationError(5), ZERO, 0.0),
        (QuantisationError(5, 2.0, 0.0), EXACT, 0.0),
        (QuantisationError(5, inf, inf), BEYOND, 0.0),
    ],
)
def test_what_has_no_ratio_is_null_with_its_reason(error, reason, share):
    """An exact quantisation has an error of 0 and no finite ratio."""
    assert sqnr_db(error) is None
    assert rmse(error) == (0.0 if reason == EXACT else None)
    assert clipped_share(error) == share
    assert missing(error) == reason


def test_energies_near_the_ends_of_float64_have_their_ratio():
    """Differences of logarithms, for the quotient would overflow."""
    assert sqnr_db(QuantisationError(3, 1e300, 1e-300)) == pytest.approx(6000)
