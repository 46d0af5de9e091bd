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
    """Two Laplaces with one scale per row, as they were and in int4."""
    tensors = {}
    for number, name in enumerate(("", "_wider")):
        w = (1 + number / 4) * np.random.default_rng(number).laplace(size=SHAPE)
        step = np.abs(w).max(axis=1, keepdims=True) / 7
        tensors[f"exact{name}.weight"] = w
        tensors[f"rounded{name}.weight"] = np.rint(w / step) * step
    stored = tensors["rounded.weight"]
    tensors |= {
        "vector": stored[0],
    }
    path = tmp_path_factory.mktemp("steps") / "m.safetensors"
    save_file({name: torch.from_numpy(x).float() for name, x in tensors.items()}, path)
    return path


def _of(report, tensor):
    frame = report.table
    return frame[frame.tensor == tensor].iloc[0]


def _only(report):
    """The row of a report that has one."""
    (row,) = report.table.itertuples()
    return row


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


def test_groups_have_the_steps_of_their_tensors(path):
    """The row of several tensors is that of the weights before, as the row of one is."""
    report = ws.fit(path, by="model", include="rounded*")
    exact = ws.fit(path, by="model", include="exact*")
    assert _only(report).pattern == _only(exact).pattern == "linear"
    assert _only(report).beta == pytest.approx(_only(exact).beta, rel=0.05)
    one = ws.fit(path, by="model", include="rounded.*")
    assert _only(one).beta == _of(ws.fit(path), "rounded.weight").beta


def test_a_vector_has_one_scale(path):
    """Its levels follow from the counts."""
    assert _of(ws.fit(path), "vector").beta == pytest.approx(1, abs=0.35)
