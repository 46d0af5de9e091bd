"""Rows are outputs everywhere: transposed convolutions and experts, against torch and numpy."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws

MODULES = {  # name: a module whose kernels are stored (in, out / groups, k...)
    "up1": torch.nn.ConvTranspose1d(12, 6, 5),
    "up2": torch.nn.ConvTranspose2d(12, 6, (2, 3)),
    "up3": torch.nn.ConvTranspose3d(12, 6, 2),
    "up4": torch.nn.ConvTranspose2d(12, 6, 1),
    "deconv": torch.nn.ConvTranspose2d(12, 8, 3, groups=4),
}
DBRX = "transformer.blocks.0.ffn.experts.mlp."


def kernels(module):
    """The weight of the ordinary convolution with the same connections: (out, in / groups * k)."""
    groups = module.groups
    weight = module.weight.detach()
    each = [part.transpose(0, 1).flatten(1) for part in weight.chunk(groups)]
    return torch.cat(each)


def test_the_reference_is_torch_s_own():
    """A transposed convolution is the gradient of a convolution: each output sums its row."""
    module = MODULES["deconv"]
    point = torch.zeros(12, 1, 1)
    point[7] = 1.0  # the second input of the third group
    made = module(point[None])[0] - module.bias[:, None, None]
    rows = kernels(module)[4:6].reshape(2, 3, 3, 3)[:, 1]
    assert torch.allclose(made[4:6], rows, atol=1e-7)
    assert made[:4].abs().max() < 1e-7


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_elements_of_a_transposed_convolution_stand_at_outputs_and_inputs(suffix, tmp_path):
    """The furthest weights of the report, all of them, are torch's with the output as the row."""
    state = torch.nn.ModuleDict(MODULES).state_dict()
    path = tmp_path / f"model{suffix}"
    if suffix == ".pt":
        torch.save(state, path)
    else:
        save_file(state, path)
    report = ws.outliers(path, top=2000, include=("*weight",), panels=False)
    for name, module in MODULES.items():
        expected = kernels(module)
        placed = {
            (r["row"], r["col"]): r["value"] for r in report.rows if r["tensor"] == f"{name}.weight"
        }
        assert len(placed) == expected.numel()
        assert all(expected[at].item() == pytest.approx(value) for at, value in placed.items())


def test_dead_outputs_of_a_transposed_convolution_are_rows(by_name):
    """And dead inputs columns, one for each element of their kernel."""
    module = torch.nn.ConvTranspose2d(24, 8, 4)
    with torch.no_grad():
        module.weight[:, 3] = 0
        module.weight[5] = 0
        module.weight[7, 2, 1, 3] = float("nan")
    model = {f"up.{key}": value.detach() for key, value in module.state_dict().items()}
    row = by_name(ws.outliers(model, panels=False))["up.weight"]
    assert (row["dead_rows"], row["dead_cols"], row["nan"]) == (1, 16, 1)
    assert "dead columns 80:96" in row["note"]
    assert "1 NaN at row 2, column 119" in row["note"]  # 7 * 16 + 1 * 4 + 3
    assert by_name(ws.ls(model))["up.weight"]["orientation"] == "in_out"


def test_every_reading_is_that_of_the_ordinary_kernels(by_name):
    """Several tiles that begin inside kernels: the same statistics as of kernels (out, in, k)."""
    module = torch.nn.ConvTranspose1d(370, 300, 7)
    model = {f"up.{key}": value.detach() for key, value in module.state_dict().items()}
    plain = {"up.weight": module.weight.detach().transpose(0, 1).contiguous()}
    columns = ("tensor", "std", "kurtosis", "row_spread", "col_spread", "lag_row", "lag_col")
    found, expected = (
        by_name(ws.fit(m, columns=columns, panels=False))["up.weight"] for m in (model, plain)
    )
    assert [found[c] for c in columns[1:]] == pytest.approx(
        [expected[c] for c in columns[1:]], rel=1e-5, abs=1e-7
    )


@pytest.mark.parametrize(
    ("shape", "bias", "note", "sides"),
    [
        ((24, 1, 4, 4), 1, "a vector: no spectrum", (None, None)),
        ((1, 24, 4, 4), 24, "one input channel", (None, None)),
        ((2, 24, 4, 4), 24, "", (24, 32)),
    ],
)
def test_sides_of_a_transposed_convolution(shape, bias, note, sides, draw, by_name):
    """One input channel is a bank of filters, one output a vector."""
    model = {"up.weight": draw(*shape), "up.bias": draw(bias)}
    row = by_name(ws.spectrum(model, panels=False))["up.weight"]
    assert (row["m"], row["n"]) == sides
    assert note in (row["note"] or "")


def test_sides_of_what_is_not_measured(by_name):
    """Complex kernels have sides, and kernels without elements none."""
    model = {
        "up.weight": torch.zeros(6, 4, 3, dtype=torch.complex64),
        "up.bias": torch.zeros(4),
        "deconv.weight": torch.zeros(6, 0, 3),
        "deconv.bias": torch.zeros(0),
    }
    rows = by_name(ws.spectrum(model, panels=False))
    assert (rows["up.weight"]["m"], rows["up.weight"]["n"]) == (4, 18)
    assert rows["deconv.weight"]["m"] is None


def test_a_name_without_proof_has_a_note(draw, by_name):
    """Nothing is turned where nothing decides, and a plain convolution has no note."""
    model = {"deconv.weight": draw(8, 8, 2, 2), "conv.weight": draw(8, 8, 2, 2)}
    rows = by_name(ws.fit(model, panels=False))
    assert "orientation-unknown" in rows["deconv.weight"]["note_codes"]
    assert "orientation-unknown" not in (rows["conv.weight"]["note_codes"] or "")
    assert [r["orientation"] for r in ws.ls(model).rows] == ["out_in", "unknown"]


@pytest.fixture
def dbrx(draw, tmp_path):
    """A layer of DBRX with 3 experts of 20 hidden units and width 16, and its matrices by name."""
    stored = {name: draw(60, 16) for name in ("w1", "v1", "w2")}
    save_file(
        {DBRX + name: tensor for name, tensor in stored.items()}, tmp_path / "model.safetensors"
    )
    config = {"d_model": 16, "ffn_config": {"moe_num_experts": 3, "ffn_hidden_size": 20}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path, stored


def test_experts_below_each_other(dbrx, by_name):
    """A piece per expert as DBRX multiplies: x w1^T and x v1^T, but h w2, so that w2 is turned."""
    path, stored = dbrx
    rows = by_name(ws.spectrum(path, panels=False))
    assert len(rows) == 9
    roles = {"w1": "moe.expert.gate", "v1": "moe.expert.up", "w2": "moe.expert.down"}
    for name, tensor in stored.items():
        for e, part in enumerate(tensor.numpy().reshape(3, 20, 16)):
            row = rows[f"{DBRX}{name}[{e}]"]
            sides = (16, 20) if name == "w2" else (20, 16)
            assert (row["m"], row["n"], row["role"], row["part"]) == (*sides, roles[name], str(e))
            assert row["fro"] == pytest.approx(np.linalg.norm(part.astype(float)), rel=1e-9)
    top = ws.outliers(path, top=1000, role="moe.expert.down", panels=False).rows
    each = stored["w2"].numpy().reshape(3, 20, 16)
    where = {f"{DBRX}w2[{e}]": each[e].T for e in range(3)}
    assert len(top) == 3 * 320
    assert all(where[r["tensor"]][r["row"], r["col"]] == pytest.approx(r["value"]) for r in top)


def test_experts_below_each_other_without_config(dbrx, by_name):
    """Whole, and the note names what is missing; --no-split keeps them whole without one."""
    path, _ = dbrx
    (path / "config.json").unlink()
    said = "its experts stay together: needs moe_num_experts and ffn_hidden_size of config.json"
    rows = by_name(ws.fit(path, panels=False))
    assert len(rows) == 3
    assert all(said in row["note"] for row in rows.values())
    assert not any(
        "together" in (row["note"] or "") for row in ws.fit(path, split=False, panels=False).rows
    )


@pytest.mark.parametrize("in_out", [False, True])
def test_a_stack_by_its_router(in_out, draw, by_name):
    """Each expert is a matrix of its own, with outputs as rows."""
    at = "model.layers.1.mlp."
    down, gate = draw(4, 12, 20), draw(4, 20, 12)
    stacks = {"w1": gate, "w3": draw(4, 20, 12), "w2": down}
    model = {f"{at}experts.{n}": t.mT.contiguous() if in_out else t for n, t in stacks.items()}
    model[at + "router.gate.weight"] = draw(4, 12)
    rows = by_name(ws.spectrum(model, panels=False))
    for e in range(4):
        row = rows[f"{at}experts.w2[{e}]"]
        assert (row["m"], row["n"], row["role"]) == (12, 20, "moe.expert.down")
        assert row["fro"] == pytest.approx(np.linalg.norm(down[e].double().numpy()), rel=1e-9)
        assert "orientation" not in (row["note"] or "")
    first = ws.outliers(model, top=2000, panels=False).rows
    found = [r for r in first if r["tensor"] == f"{at}experts.w1[2]"]
    assert found
    assert all(gate[2][r["row"], r["col"]].item() == pytest.approx(r["value"]) for r in found)
