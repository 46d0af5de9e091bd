"""Commands with `--device cuda:1`: the numbers of the CPU, and notes where the CPU measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import weightscope as ws
from tests.device.conftest import pretended
from tests.device.pretended import NAME

MODEL = {
    "model.layers.0.mlp.up_proj.weight": torch.randn(
        300, 240, generator=torch.Generator().manual_seed(0)
    ),
    "model.layers.0.mlp.gate_proj.weight": torch.ones(40, 24),
}


@pytest.mark.parametrize("command", [ws.fit, ws.spectrum, ws.outliers], ids=lambda c: c.__name__)
def test_a_table_of_the_device_is_that_of_the_cpu(gpu, command) -> None:
    """Texts and whole numbers at all, other numbers to five digits."""
    some = {name: x[:60, :24].clone() for name, x in MODEL.items()}
    options = {"threads": 2}
    if command is ws.fit:  # laws follow from the counts on the host
        options["columns"] = [
            "tensor",
            "std",
            "kurtosis",
            "min",
            "row_spread",
            "note",
        ]
    here, there = (command(some, device=name, **options).table for name in ("cpu", NAME))
    assert list(here) == list(there)
    for column in here:
        x, y = here[column], there[column]
        if x.dtype.kind == "f" or str(x.dtype) == "Float64":
            x, y = (v.to_numpy(float, na_value=np.nan) for v in (x, y))
            assert np.allclose(x, y, rtol=1e-5, atol=1e-6, equal_nan=True), column
        else:
            assert list(x.astype(str)) == list(y.astype(str)), column
    assert gpu.refused == []
    assert gpu.uploaded == 0, gpu.uploads


def test_a_tensor_that_the_cpu_measured_has_a_note(monkeypatch) -> None:
    """With the reason; it is measured, so that --strict is content."""
    pretended(monkeypatch, free=8 << 20)
    report = ws.fit(MODEL, device=NAME, columns=["tensor", "std", "note", "note_codes"])
    rows = report.table.set_index("tensor")
    large = rows.loc["model.layers.0.mlp.up_proj.weight"]
    assert "on-cpu" in large["note_codes"]
    assert "measured on the CPU: needs " in large["note"]
    assert abs(large["std"] - 1) < 0.01
    assert "on-cpu" not in str(rows.loc["model.layers.0.mlp.gate_proj.weight"]["note_codes"])
    assert report.unmeasured == ()
