"""The layer map: cosines of a sample against numpy, equal layers, bytes read, bad input."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws
from tests.analyses.depth.planted import transformer
from weightscope.analyses.depth.layer_map import maps as layer_maps
from weightscope.analyses.depth.layer_map.sample import ROWS
from weightscope.errors import UsageError
from weightscope.reports.pictures.layer_map import draw, limit, matrix_of

NAME = "model.layers.{}.mlp.up_proj.weight"


def rows_of(model, **options):
    """The rows by pair of layers, of one role."""
    rows = ws.depth(model, **({"layer_map": True, "panels": False} | options)).rows
    return {(row["layer_a"], row["layer_b"]): row for row in rows}


def related(layers, shape=(48, 32), seed=0):
    """Matrices of one role that all have a part in common."""
    model = transformer({"mlp.up": [1.0] * layers}, seed=seed, shape=shape)
    common = torch.from_numpy(np.random.default_rng(9).standard_normal(shape)).float()
    return {name: matrix + 0.5 * i * common for i, (name, matrix) in enumerate(model.items())}


def cosine(a, b):
    """In float64."""
    x, y = a.double().numpy().ravel(), b.double().numpy().ravel()
    return x @ y / np.sqrt((x @ x) * (y @ y))


@pytest.mark.parametrize("shape", [(48, 32), (200, 32), (70, 5000)])
def test_the_cosine_of_every_pair_of_layers(shape):
    """Over all rows of a low matrix, else 64 evenly spaced ones; every other of 5,000 columns."""
    model = related(4, shape)
    matrices = list(model.values())
    if shape[0] > ROWS:
        matrices = [matrix[:: shape[0] // ROWS][:ROWS] for matrix in matrices]
    if shape[1] > 4096:
        matrices = [matrix[:, ::2] for matrix in matrices]
    rows = rows_of(model)
    assert list(rows) == list(combinations(range(4), 2))
    for (a, b), row in rows.items():
        assert row["cosine"] == pytest.approx(cosine(matrices[a], matrices[b]), rel=1e-6)
        assert row["cosine_null"] == pytest.approx(matrices[0].numel() ** -0.5)
        assert (row["role"], row["equal"], row["note"]) == ("mlp.up", False, None)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.usefixtures("measured_anew")
def test_only_the_sampled_rows_are_read(tmp_path, turned):
    """64 rows of each matrix, of one that is stored by columns 64 of these."""
    model = related(3, (256, 128))
    path = tmp_path / "m.safetensors"
    size = 64 * 128 * 4
    if turned:
        path = tmp_path / "m.pt"
        torch.save({name: matrix.T.contiguous().T for name, matrix in model.items()}, path)
        model = {name: matrix.T[::2] for name, matrix in model.items()}
        size = 64 * 256 * 4
    else:
        save_file(model, path)
        model = {name: matrix[::4] for name, matrix in model.items()}
    report = ws.depth(path, layer_map=True, panels=False)
    assert report.timing["bytes_read"] == 3 * size
    first, second, _ = model.values()
    assert report.rows[0]["cosine"] == pytest.approx(cosine(first, second), rel=1e-6)


def test_equal_layers_are_named_and_confirmed():
    """Layers 3 to 5 repeat 0 to 2; a copy that differs in one unsampled row is not equal."""
    model = related(7, (256, 32))
    for layer in (3, 4, 5):
        model[NAME.format(layer)] = model[NAME.format(layer - 3)].clone()
    near = model[NAME.format(0)].clone()
    near[1, 0] += 1
    model[NAME.format(6)] = near
    report = ws.depth(model, layer_map=True, panels=False)
    rows = {(row["layer_a"], row["layer_b"]): row for row in report.rows}
    assert {pair for pair, row in rows.items() if row["equal"]} == {(0, 3), (1, 4), (2, 5)}
    assert rows[1, 4]["note"] == "layers 1 and 4 are equal"
    assert rows[1, 4]["cosine"] == 1
    assert rows[0, 6]["cosine"] == pytest.approx(1)
    (text,) = messages(report)
    assert text == "layers 3-5 repeat 0-2 (cosine 1.000 in 1 role)"


def messages(report):
    """The sentences on repeated layers."""
    return report.closing.splitlines()


@pytest.mark.usefixtures("measured_anew")
def test_layers_of_one_tensor_are_equal(tmp_path):
    """As in ALBERT: the storage is read once, and the sentence names all its layers."""
    tensor = torch.randn(16, 32, generator=torch.Generator().manual_seed(0))
    path = tmp_path / "m.pt"
    torch.save({NAME.format(layer): tensor for layer in range(4)}, path)
    report = ws.depth(path, layer_map=True, panels=False)
    assert report.timing["bytes_read"] == 16 * 32 * 4
    assert report.rows[0]["note"] == "layers 0 and 1 are one tensor"
    assert all(row["equal"] for row in report.rows)
    assert len(report.rows) == 6
    assert messages(report) == ["layers 1-3 repeat 0 (cosine 1.000 in 1 role)"]


def test_experts_are_paired_by_number():
    """The median over the experts of both layers."""
    rng = np.random.default_rng(0)
    name = "model.layers.{}.block_sparse_moe.experts.{}.w1.weight"
    model = {}
    for layer in range(2):
        for expert in range(3):
            matrix = rng.standard_normal((16, 8)) + expert
            model[name.format(layer, expert)] = torch.from_numpy(matrix).float()
    pairs = [(model[name.format(0, i)], model[name.format(1, i)]) for i in range(3)]
    row = rows_of(model)[0, 1]
    assert row["cosine"] == pytest.approx(np.median([cosine(*pair) for pair in pairs]), rel=1e-6)
    assert row["note"] == "median over 3 experts of a layer"


def test_pairs_without_a_cosine_have_a_reason():
    """Another shape, a zero matrix; NaN is left out of its pairs alone."""
    model = related(5)
    model[NAME.format(1)] = torch.zeros(48, 32)
    model[NAME.format(2)] = model[NAME.format(2)][:, :16].clone()
    model[NAME.format(3)][0] = torch.nan
    rows = rows_of(model)
    assert rows[0, 1]["note"] == "no cosine: the sample of a layer is zero"
    assert rows[0, 2]["note"] == "shapes 48x32 and 48x16 differ: no cosine"
    expected = cosine(model[NAME.format(0)][1:], model[NAME.format(3)][1:])
    assert rows[0, 3]["cosine"] == pytest.approx(expected, rel=1e-6)
    assert rows[0, 3]["cosine_null"] == pytest.approx((47 * 32) ** -0.5)
    assert "non-finite" in rows[0, 3]["note_codes"]
    expected = cosine(model[NAME.format(3)][1:], model[NAME.format(4)][1:])
    assert rows[3, 4]["cosine"] == pytest.approx(expected, rel=1e-6)
    assert [rows[0, b]["cosine"] for b in (1, 2)] == [None, None]


def test_many_layers_are_thinned(monkeypatch):
    """Pairs grow with the square of the layers."""
    monkeypatch.setattr(layer_maps, "MOST", 3)
    rows = rows_of(related(7))
    assert list(rows) == [(0, 2), (0, 4), (2, 4)]
    assert rows[0, 2]["note"] == "7 layers: the pairs are those of 3, evenly spaced"


def test_one_layer_or_vectors_have_no_pairs():
    """A sentence in place of rows."""
    norms = {f"model.layers.{i}.input_layernorm.weight": torch.ones(32) for i in range(4)}
    for model in (related(1), norms):
        report = ws.depth(model, layer_map=True)
        assert not report.rows
        assert messages(report) == ["no role has matrices in two layers: no pairs to compare"]


@pytest.mark.parametrize("other", [{"stat": "std"}, {"per_layer": True}, {"spectrum": True}])
def test_options_of_other_rows_are_refused(other):
    """Each form of rows is one run."""
    with pytest.raises(UsageError, match="expected --layer-map without options of other rows"):
        ws.depth(related(2), layer_map=True, **other)


def test_the_picture_has_the_cosines_of_the_rows():
    """A square per role; equal layers do not widen the scale."""
    model = transformer({"mlp.up": [1.0] * 4, "attn.q": [1.0] * 4})
    model[NAME.format(3)] = model[NAME.format(1)].clone()
    report = ws.depth(model, layer_map=True)
    panels = {panel.title: panel for panel in report.panels}
    assert set(panels) == {"mlp.up", "attn.q"}
    for row in report.rows:
        layers, cosines, equal = matrix_of(panels[row["role"]])
        assert layers.tolist() == [0, 1, 2, 3]
        assert cosines[row["layer_a"], row["layer_b"]] == row["cosine"]
        assert cosines[row["layer_b"], row["layer_a"]] == row["cosine"]
        assert equal[row["layer_a"], row["layer_b"]] == row["equal"]
    sizes = [abs(row["cosine"]) for row in report.rows if not row["equal"]]
    null = report.rows[0]["cosine_null"]
    assert limit(report.panels) == pytest.approx(max(*sizes, 4 * null))
    figure = draw(report.panels)
    assert [ax.get_title("left") for ax in figure.axes[:2]] == ["mlp.up", "attn.q"]


def test_two_models_have_a_source(tmp_path):
    """The sentence names it too."""
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    save_file(related(2), paths[0])
    same = related(2)
    save_file({name: same[NAME.format(0)].clone() for name in same}, paths[1])
    report = ws.depth(*paths, layer_map=True, panels=False)
    assert [row["source"] for row in report.rows] == [str(path) for path in paths]
    (text,) = messages(report)
    assert text == f"{paths[1]}: layer 1 repeats 0 (cosine 1.000 in 1 role)"
