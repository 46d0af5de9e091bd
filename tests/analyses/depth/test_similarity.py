"""Neighbouring layers: cosines against numpy, runs of equal shape, equal layers, one read."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws
from tests.analyses.depth.planted import transformer
from weightscope.analyses.depth.similarity import MOST

COLUMNS = ("role", "similarity", "similarity_null", "note")


def row_of(model, **options):
    """The row of a single series."""
    options = {"stat": "params", "columns": COLUMNS, "panels": False} | options
    (row,) = ws.depth(model, **options).rows
    return row


def cosines(matrices):
    """Of neighbours, in float64."""
    flat = [matrix.double().numpy().ravel() for matrix in matrices]
    return [a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in pairwise(flat)]


def related(layers, share=0.3, **options):
    """Matrices that share a part with the one before, with alternating signs."""
    model = transformer({"mlp.up": [1.0] * layers}, **options)
    names = list(model)
    for before, name in pairwise(names):
        sign = -1 if len(name) % 2 else 1
        model[name] = sign * share * model[before] + model[name]
    return model


@pytest.mark.parametrize("layers", [2, 3, 8, MOST, MOST + 1, 2 * MOST + 3])
def test_the_median_cosine_of_neighbours(layers):
    """Signed, of all pairs, also of series longer than one unit."""
    model = related(layers)
    row = row_of(model)
    assert row["similarity"] == pytest.approx(np.median(cosines(model.values())), rel=1e-9)
    assert abs(row["similarity"]) > 0.2
    assert row["similarity_null"] == pytest.approx((48 * 32) ** -0.5)


def test_only_neighbours_in_the_index_and_of_one_shape():
    """Layers 1 and 5 are none; nor are 48 x 32 and 24 x 32."""
    model = related(6)
    layers = list(model.values())
    names = list(model)
    del model[names[2]], model[names[3]]
    model[names[5]] = model[names[5]][:24].clone()
    row = row_of(model)
    assert row["similarity"] == pytest.approx(cosines(layers[:2])[0], rel=1e-9)
    assert row_of({names[0]: layers[0], names[2]: layers[2]})["similarity"] is None


def test_experts_are_paired_by_their_number():
    """Expert 1 of a layer with expert 1 of the next."""
    rng = np.random.default_rng(0)
    model, of_expert = {}, {0: [], 1: []}
    for layer in range(4):
        for expert in (0, 1):
            matrix = torch.from_numpy(rng.standard_normal((16, 8)) + expert).float()
            model[f"model.layers.{layer}.block_sparse_moe.experts.{expert}.w1.weight"] = matrix
            of_expert[expert].append(matrix)
    expected = np.median([*cosines(of_expert[0]), *cosines(of_expert[1])])
    assert row_of(model)["similarity"] == pytest.approx(expected, rel=1e-9)


def test_equal_layers_are_named():
    """A copied layer has cosine 1; two that differ in one element are not equal."""
    model = related(5)
    names = list(model)
    model[names[1]] = model[names[0]].clone()
    model[names[4]] = model[names[3]].clone()
    model[names[4]][0, 0] += 1
    row = row_of(model)
    assert "layers 0 and 1 are equal" in row["note"]
    assert "3 and 4" not in row["note"]
    assert "equal" not in (row_of(related(5))["note"] or "")


def test_a_zero_matrix_has_no_cosine():
    """Its two pairs are named, and the others count."""
    model = related(5)
    names = list(model)
    expected = cosines(list(model.values())[:2])[0], cosines(list(model.values())[3:])[0]
    model[names[2]] = torch.zeros(48, 32)
    row = row_of(model)
    assert row["similarity"] == pytest.approx(np.median(expected), rel=1e-9)
    assert row["note"].endswith("; no cosine of layers 1 and 2, 2 and 3: a matrix is zero")


def test_vectors_have_none():
    """The gains of norms are alike by nature."""
    model = {f"model.layers.{i}.input_layernorm.weight": torch.ones(32) for i in range(4)}
    assert row_of(model)["similarity"] is None


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.usefixtures("measured_anew")
def test_each_byte_once(tmp_path, turned):
    """Also of a series of more than one unit, up to the matrix that units share."""
    model = related(MOST, shape=(64, 48))
    if turned:
        model = {name: matrix.T.contiguous().T for name, matrix in model.items()}
        torch.save(model, tmp_path / "m.pt")
        path = tmp_path / "m.pt"
    else:
        path = tmp_path / "m.safetensors"
        save_file(model, path)
    report = ws.depth(path, stat="params", columns=COLUMNS, panels=False)
    assert report.timing["bytes_read"] == MOST * 64 * 48 * 4
    expected = np.median(cosines(model.values()))
    assert report.rows[0]["similarity"] == pytest.approx(expected, rel=1e-9)


def test_too_little_memory_is_noted(tmp_path):
    """No value, and the memory that suffices."""
    path = tmp_path / "m.safetensors"
    save_file(related(8, shape=(256, 256)), path)
    row = row_of(path, memory="1MiB")
    assert row["similarity"] is None
    assert "--memory" in row["note"]
