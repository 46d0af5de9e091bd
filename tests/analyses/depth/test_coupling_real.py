"""Coupling of GPT-6 before and after training, whose numbers were computed apart with numpy."""

from __future__ import annotations

import pytest

from tests.analyses.depth.coupled import coupled, pair
from tests.analyses.depth.test_real import GPT, gpt6

SCALES = {
    ("mlp.up.rows", "mlp.down.cols"): (0.094, 0.991, 0.084, 0.134, 0.181),
    ("attn.v.rows", "attn.o.cols"): (0.090, 0.951, 0.169, 0.269, 0.362),
    ("attn.q.rows", "attn.k.rows"): (0.187, 0.912, 0.169, 0.269, 0.362),
}
MEANS = (0.050, 0.172, 0.174)
OF_MATRIX = (".rows", ".cols")


def near(value):
    """As many digits as the numbers have."""
    return pytest.approx(value, abs=6e-4)


def beyond(rows, column):
    """How many rows are above a point."""
    return sum(row["max_rho"] > row[column] for row in rows)


def of_matrices(rows):
    """The pairs without a gain or a bias."""
    return [row for row in rows if row["a"].endswith(OF_MATRIX) and row["b"].endswith(OF_MATRIX)]


@gpt6
def test_scales_before_and_after_training():
    """Three pairs of scales tie; at the start nothing passes the family point of 22 pairs."""
    start, end = (coupled(path, of="scales") for path in GPT)
    for (a, b), (first, last, null, point, family) in SCALES.items():
        before, after = pair(start, a, b, "scales"), pair(end, a, b, "scales")
        assert (before["max_rho"], after["max_rho"]) == (near(first), near(last))
        assert (before["max_rho_null"], before["max_rho_null_95"]) == (near(null), near(point))
        assert before["max_rho_family_95"] == near(family)
    counts = [
        (len(rows), beyond(rows, "max_rho_null_95"))
        for rows in map(of_matrices, (start.rows, end.rows))
    ]
    assert counts == [(22, 2), (22, 19)]
    assert beyond(start.rows, "max_rho_family_95") == 0


@gpt6
def test_means_before_and_after_training():
    """They see none of these pairs, and couple on the residual stream."""
    start, end = (coupled(path, of="means") for path in GPT)
    found = [pair(end, a, b, "means")["max_rho"] for a, b in SCALES]
    assert found == [near(rho) for rho in MEANS]
    assert pair(end, "norm[mlp].bias", "mlp.up.cols", "means")["max_rho"] == near(0.891)
    assert pair(end, "mlp.up.cols", "mlp.down.rows", "means")["max_rho"] == near(0.796)
    assert pair(end, "attn.o.bias", "mlp.down.bias", "means")["max_rho"] == near(0.835)
    counts = [(len(r.rows), beyond(r.rows, "max_rho_null_95")) for r in (start, end)]
    assert counts == [(22, 2), (84, 40)]
