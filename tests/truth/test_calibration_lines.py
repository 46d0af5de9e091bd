"""A cheap part of the calibration of scores of lines, and what the stored results must hold."""

from __future__ import annotations

import json

import pytest

from .calibration_lines import STORED, measured, uncalibrated


@pytest.mark.parametrize("law", ["Gaussian", "t5"])
def test_scores_of_noise_are_standard(law):
    """60 draws of 24 x 100: the mean is near 0 and the standard deviation near 1."""
    for record in measured((24, 100), law, 60, balanced=0):
        if record["draws"] == 60:
            assert abs(record["mean"]) < 0.5, record
            assert 0.7 < record["deviation"] < 1.35, record


def test_stored_scores_are_calibrated():
    """Mean within 0.15, deviation 0.85 to 1.15, beyond 3 in 1% (t5 3%).

    Three standard errors more for the number of draws.
    """
    records = json.loads(STORED.read_text("utf-8"))
    assert not uncalibrated(records)
