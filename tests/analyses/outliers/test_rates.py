"""Each finding has a threshold, a reason for its severity, and a rate on noise or none."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
import torch

import weightscope as ws
from docs import rates
from tests.rates.findings import LAWS, MEASURED, SHAPES, STORED
from weightscope.analyses.outliers.findings import FINDINGS

RECORDS = json.loads(STORED.read_text("utf-8"))


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.id)
def test_a_finding_has_threshold_reason_and_rate(finding):
    """The reason names a severity; the rate is counted for every law and shape, or impossible."""
    assert finding.threshold.endswith(".")
    assert finding.reason.startswith(("`info`", "`warn`", "`error`"))
    assert bool(finding.noise) != all(finding.id in record["found"] for record in RECORDS)


def test_rates_of_all_laws_and_shapes_are_at_most_one_percent():
    """200 draws or more each, and no finding that noise is said not to have."""
    drawn = {(record["law"], record["shape"]) for record in RECORDS}
    assert drawn == {(law, f"{m} x {n}") for law, (m, n) in product(LAWS, SHAPES)}
    for record in RECORDS:
        assert record["draws"] >= 200
        assert tuple(record["found"]) == MEASURED
        assert max(record["found"].values()) <= 0.01 * record["draws"]


def test_the_sentence_names_the_greatest_rate():
    """The sum over laws and shapes, and the law and shape of the greatest share."""
    records = [
        {"law": "t5", "shape": "64 x 64", "draws": 100, "found": {"WS141": 1, "WS142": 0}},
        {"law": "Laplace", "shape": "9 x 9", "draws": 10, "found": {"WS141": 1, "WS142": 0}},
    ]
    assert rates.sentence("WS141", records).startswith("2 of 110 matrices")
    assert "at most 10.0% (Laplace, 9 x 9)" in rates.sentence("WS141", records)
    assert rates.sentence("WS142", records).startswith("None of 110 matrices")


def _findings(w):
    (row,) = ws.outliers({"model.layers.0.mlp.up_proj.weight": w}, panels=False).rows
    return (row["findings"] or "").split(",")


def test_one_far_weight_is_no_large_column(draw):
    """Columns of 30 weights: one far weight gives a column 4 times the RMS, as 30 large ones."""
    w = draw(30, 2000)
    far = w.clone()
    far[3, 7] = 40 * w.std()
    rms = (far**2).mean(0).sqrt()
    assert rms[7] > 4 * rms.median()
    assert "WS141" not in _findings(far)
    long = w.clone()
    long[:, 7] *= 6
    assert "WS141" in _findings(long)


@pytest.mark.parametrize("scale", [5.0, 8.0, 30.0])
def test_a_channel_of_heavy_tailed_weights_is_found(scale):
    """A row and a column of t(5) weights that are larger as a whole."""
    w = torch.from_numpy(np.random.default_rng(7).standard_t(5, (128, 512))).float()
    for at in ((9, slice(None)), (slice(None), 9)):
        planted = w.clone()
        planted[at] *= scale
        assert "WS141" in _findings(planted)


@pytest.mark.parametrize("far", [1e200, float("inf"), float("nan")])
def test_a_weight_without_a_square_hides_no_channel(draw, far):
    """The square of 1e200 overflows: no warning, and another row is still found."""
    w = draw(128, 300).double()
    w[3] *= 30
    w[5, 5] = far
    assert "WS141" in _findings(w)
