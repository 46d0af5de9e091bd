"""`fit` of weights that a quantiser rounded: the steps of rows reach every part of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws

SHAPE = (128, 512)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A Laplace with one scale per row, as it was and in int4."""
    w = np.random.default_rng(0).laplace(size=SHAPE)
    step = np.abs(w).max(axis=1, keepdims=True) / 7
    stored = np.rint(w / step) * step
    tensors = {
        "exact.weight": w,
        "rounded.weight": stored,
        "rounded_twice.weight": 2 * stored,
        "vector": stored[0],
    }
    path = tmp_path_factory.mktemp("steps") / "m.safetensors"
    save_file({name: torch.from_numpy(x).float() for name, x in tensors.items()}, path)
    return path


def _of(report, tensor):
    frame = report.table
    return frame[frame.tensor == tensor].iloc[0]


def test_the_row_of_a_tensor_is_that_of_the_weights_before(path):
    """In every command line, since steps need no column but that of the law."""
    report = ws.fit(path)
    exact, rounded = _of(report, "exact.weight"), _of(report, "rounded.weight")
    assert (exact.pattern, rounded.pattern) == ("linear", "linear")
    assert rounded.beta == pytest.approx(exact.beta, rel=0.05)
    assert _of(ws.fit(path, columns=["tensor", "beta"]), "rounded.weight").beta == rounded.beta
    rows = ws.fit(path, long=True).table
    fitted = rows[(rows.tensor == "rounded.weight") & (rows.law == "gennorm")]
    assert fitted.beta.item() == rounded.beta


def test_counts_of_a_group_have_no_rows(path):
    """Steps of several tensors are not known: one step for all is fitted."""
    frame = ws.fit(path, by="model", include="rounded*").table
    assert frame.beta.item() > 1.2
    frame = ws.fit(path, by="model", include="rounded.*").table
    assert frame.beta.item() == _of(ws.fit(path), "rounded.weight").beta  # a group of one


def test_a_vector_has_one_scale(path):
    """Its levels follow from the counts."""
    assert _of(ws.fit(path), "vector").beta == pytest.approx(1, abs=0.35)
