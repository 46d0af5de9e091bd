"""Real checkpoints: moments equal numpy, and an untrained network is what it was drawn as."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

import weightscope as ws

DATA = Path(__file__).parents[3] / "shared" / "data"
START = DATA / "gpt6" / "gpt6_seed0_step00000.safetensors"
FILES = sorted(DATA.rglob("*.safetensors"))
TORCH = [*sorted(DATA.rglob("*.th")), *sorted(DATA.rglob("*.pth")), *sorted(DATA.rglob("*.pt"))]
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared checkpoints are not here")


def equal(row, values):
    """Moments of a row against numpy in float64: to 1e-6, the higher ones to 1e-5 (float32)."""
    x = values.astype(np.float64)
    assert row["mean"] == pytest.approx(x.mean(), abs=1e-6 * x.std() + 1e-15 * abs(x[0]))
    assert row["std"] == pytest.approx(x.std(), rel=1e-6, abs=1e-15 * abs(x[0]))
    assert (row["min"], row["max"]) == (x.min(), x.max())
    if x.size > 2 and x.std() > 0:
        z = (x - x.mean()) / x.std()
        assert row["skew"] == pytest.approx((z**3).mean(), rel=1e-5, abs=1e-5)
        assert row["kurtosis"] == pytest.approx((z**4).mean() - 3, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_moments_equal_numpy(path):
    """Every float tensor of every safetensors file."""
    rows = {
        r["tensor"]: r
        for r in ws.fit(path, split=False, panels=False, columns=["tensor", "mean", "skew"]).rows
    }
    with safe_open(path, "np") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    measured = [name for name in stored if name in rows]
    assert measured or "lora" in str(path)
    for name in measured:
        equal(rows[name], stored[name].ravel())


@pytest.mark.parametrize("path", TORCH, ids=lambda p: p.stem)
def test_torch_files_equal_torch(path):
    """Every float parameter of the torch files."""
    loaded = torch.load(path, map_location="cpu", weights_only=True)
    state = loaded.get("state_dict", loaded)
    rows = ws.fit(path, split=False, panels=False, columns=["tensor", "mean"]).rows
    assert rows
    for row in rows:
        name = row["tensor"] if row["tensor"] in state else f"module.{row['tensor']}"
        equal(row, state[name].numpy().ravel())


@pytest.mark.skipif(not START.exists(), reason="the shared checkpoints are not here")
def test_an_untrained_network_is_what_it_was_drawn_as():
    """Matrices normal with std 0.02 or 0.02/sqrt(12), i.i.d. statistics close to their nulls."""
    rows = [
        r
        for r in ws.fit(START, panels=False, split=False).rows
        if r["kind"] in ("matrix", "embedding")
    ]
    assert len(rows) > 20
    for row in rows:
        assert row["best"] == "normal", row["tensor"]
        m, n = map(int, row["shape"].split("x"))
        drawn = 0.02 / np.sqrt(12) if "c_proj" in row["tensor"] else 0.02
        assert row["std"] == pytest.approx(drawn, rel=5 / np.sqrt(2 * m * n)), row["tensor"]
        for name, lines in (("row", m), ("col", n)):
            assert row[f"{name}_spread"] == pytest.approx(
                row[f"{name}_spread_null"], rel=5 / np.sqrt(2 * lines)
            )
            assert row[f"{name}_mean_share"] == pytest.approx(
                row[f"{name}_mean_share_null"], rel=5 * np.sqrt(2 / lines)
            )
            assert abs(row[f"lag_{name}"]) < 5 * row[f"lag_{name}_null"]
