"""Tensors without elements: of any sides, their rows equal those of a small one."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import weightscope as ws
from tests.forked import forked
from weightscope.checkpoints.entry import Stored
from weightscope.checkpoints.views import Empty
from weightscope.geometry import whole

if sys.platform != "win32":
    import resource

RUNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ls", {}),
    ("fit", {"balance": True, "coding": True}),
    ("fit", {"long": True}),
    ("fit", {"by": "role"}),
    ("outliers", {"quant": "all"}),
    ("outliers", {"top": 3}),
    ("outliers", {"top_rows": 3}),
    ("outliers", {"by": "layer"}),
    ("spectrum", {"svd": True, "null": "shuffle"}),
    ("spectrum", {"per_head": True}),
    ("spectrum", {"by": "role"}),
)
SHAPES = ([0, 1 << 40], [1 << 40, 0], [1, 0], [0, 1 << 63], [1 << 40, *[0] * 60])
ALIKE = {"tensor", "slot", "shape", "file", "kind", "orientation", "note", "note_codes"}


def measured_under_limits(folder: Path) -> str:
    """Name, size and note of every row of a model, within 60 seconds and 12 GiB."""
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))
    rows = [row for question in (ws.fit, ws.outliers, ws.spectrum) for row in question(folder).rows]
    rows += ws.spectrum(folder, per_head=True).rows
    return json.dumps([(row["tensor"], row["params"], row["note"]) for row in rows])


def saved(path: Path, tensors: dict[str, list[int]]) -> Path:
    """The tensors without elements, and `v` with the numbers 1 to 4."""
    empty = {
        name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}
        for name, shape in tensors.items()
    }
    raw = json.dumps(
        empty | {"v": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}
    ).encode()
    path.write_bytes(
        len(raw).to_bytes(8, "little") + raw + bytes.fromhex("0000803f000000400000404000008040")
    )
    return path


@pytest.mark.parametrize(
    ("question", "options"), RUNS, ids=[f"{name} {options}" for name, options in RUNS]
)
def test_rows_are_those_of_a_small_one(
    tmp_path: Path, question: str, options: dict[str, Any]
) -> None:
    """Every column except name, shape and columns of rank; a 2 x 2 matrix is still measured."""
    ask = partial(getattr(ws, question), strict=True, **options)
    small = ask(saved(tmp_path / "small.safetensors", {"w": [0, 3]}))
    large = {f"w{i}": shape for i, shape in enumerate(SHAPES)}
    found = ask(saved(tmp_path / "large.safetensors", large))
    assert found.unmeasured == small.unmeasured == ()
    if "by" in options:
        assert sum(row["params"] for row in found.rows) == 4
        return
    for name in large:
        assert without(found.rows, name) == without(small.rows, "w")
    assert without(found.rows, "v") == without(small.rows, "v")
    assert {row["tensor"] for row in found.rows} <= {*large, "v"}


def without(rows: Any, tensor: str) -> list[dict[str, object]]:
    """What the rows of a tensor have in common with those of another one."""
    of_tensor = (row for row in rows if row["tensor"] == tensor)
    return [{k: v for k, v in row.items() if k not in ALIKE} for row in of_tensor]


def test_with_a_base(tmp_path: Path) -> None:
    """An empty tensor has no rows that could have changed."""
    new = saved(tmp_path / "new.safetensors", {"w": [1 << 40, 0]})
    base = saved(tmp_path / "base.safetensors", {"w": [1 << 40, 0]})
    rows = {row["tensor"]: row for row in ws.outliers(new, base=str(base)).rows}
    assert (rows["w"]["changed_rows"], rows["v"]["changed_rows"]) == (None, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are set the POSIX way")
def test_parts_of_nothing(tmp_path: Path) -> None:
    """Fused parts, experts and heads of a tensor without elements are not counted one by one."""
    names = {
        "gpt_neox.layers.0.attention.query_key_value.weight": [3 << 40, 0],
        "model.layers.0.self_attn.q_proj.weight": [1 << 40, 0],
        "model.layers.0.mlp.experts.gate_up_proj": [1 << 40, 0, 4],
    }
    saved(tmp_path / "model.safetensors", names)
    (tmp_path / "config.json").write_text(json.dumps({"num_attention_heads": 1 << 40}))
    code, text = forked(partial(measured_under_limits, tmp_path))
    assert code == 0, text
    rows = json.loads(text)
    assert {name.partition("[")[0] for name, params, _ in rows if not params} == set(names)
    assert sum(params == 4 for _, params, _ in rows) == 4
    assert all(
        "no elements" in note or "no finite element" in note
        for _, params, note in rows
        if not params
    )


def test_many_heads_stay_together(tmp_path: Path) -> None:
    """A row for each of 20,000 heads of one line would answer nothing."""
    raw = json.dumps(
        {
            "model.layers.0.self_attn.q_proj.weight": {
                "dtype": "U8",
                "shape": [20_000, 2],
                "data_offsets": [0, 40_000],
            }
        }
    ).encode()
    (tmp_path / "model.safetensors").write_bytes(
        len(raw).to_bytes(8, "little") + raw + bytes(range(200)) * 200
    )
    (tmp_path / "config.json").write_text(json.dumps({"num_attention_heads": 20_000}))
    (row,) = ws.spectrum(tmp_path, per_head=True).rows
    assert "heads unknown: 20000 in config.json, more than the limit of 16384" in row["note"]


def test_empty_view() -> None:
    """0 x 0, in the storage type, needing nothing."""
    view = Empty(Stored("w", (1 << 40, 0), "BF16"))
    made = view.make(whole(view.shape), view.needs(whole(view.shape)))  # type: ignore[arg-type]  # nothing is needed
    assert (view.name, view.dtype, view.shape, view.cut, tuple(made.shape), str(made.dtype)) == (
        "w",
        "BF16",
        (0, 0),
        0,
        (0, 0),
        "torch.bfloat16",
    )
