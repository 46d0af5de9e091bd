"""ls: rows, totals, collapsing; headers alone."""

import pytest
import torch

import weightscope as ws


@pytest.fixture
def model(draw):
    """Twelve layers and a head, of two types."""
    layers = {f"model.layers.{i}.mlp.up_proj.weight": draw(8, 4).bfloat16() for i in range(12)}
    return layers | {"lm_head.weight": draw(10, 4)}


def test_repeated_layers_collapse(model):
    """One row for layers that do not differ otherwise; params and bytes are sums."""
    rows = ws.ls(model, flat=False).rows
    assert [(r["tensor"], r["layer"], r["params"], r["bytes"]) for r in rows] == [
        ("lm_head.weight", None, 40, 160),
        ("model.layers.{0-11}.mlp.up_proj.weight", None, 384, 768),
    ]
    assert len(ws.ls(model).rows) == 13


def test_layers_that_differ_stay_apart(model):
    """Another shape or type is another row; gaps show in the range."""
    model["model.layers.5.mlp.up_proj.weight"] = torch.ones(9, 4, dtype=torch.bfloat16)
    names = [r["tensor"] for r in ws.ls(model, flat=False).rows]
    assert "model.layers.{0-4,6-11}.mlp.up_proj.weight" in names
    assert "model.layers.5.mlp.up_proj.weight" in names


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("dtype", [("F32", 1, 40, 160), ("BF16", 12, 384, 768)]),
        ("role", [("head", 1, 40, 160), ("mlp.up", 12, 384, 768)]),
    ],
)
def test_totals(model, by, expected):
    """Tensors, elements and bytes of each group."""
    assert [
        (r[by], r["tensors"], r["params"], r["bytes"]) for r in ws.ls(model, by=by).rows
    ] == expected
    assert ws.ls(model).notes[-2:] == (
        "13 tensors, 424 elements, 928 B: BF16 768 B, F32 160 B",
        "by role: mlp.up 12, head 1",
    )


def test_wrong_group(model):
    """`ls` also groups by dtype, and refuses other names."""
    with pytest.raises(
        ws.UsageError, match="ls groups by tensor, role, layer, model, dtype; found 'colour'"
    ):
        ws.ls(model, by="colour")
