"""Names of real checkpoints, when they are at hand."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from weightscope.naming import places

DATA = Path(__file__).parents[3] / "shared" / "data"


def header(path: Path) -> dict[str, tuple[int, ...]]:
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with path.open("rb") as file:
        table = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return {name: tuple(entry["shape"]) for name, entry in table.items() if name != "__metadata__"}


def test_gpt6_has_linear_orientation() -> None:
    """GPT-2 names, nn.Linear shapes: q, k, v are thirds of the rows; all matrices are (out, in)."""
    made = places(header(DATA / "gpt6" / "gpt6_seed0_step00000.safetensors"), {})
    parts = made["transformer.h.5.attn.c_attn.weight"]
    assert [(p.role, p.rows.start) for p in parts if p.rows] == [
        ("attn.q", 0),
        ("attn.k", 96),
        ("attn.v", 192),
    ]
    assert {p.orientation for v in made.values() for p in v} == {"out_in"}
    assert "unknown" not in {p.role for v in made.values() for p in v}


def test_stories_is_whole() -> None:
    """Every tensor of a GGUF-named Llama resolves; grouped k and v live on their own heads."""
    made = places(header(DATA / "stories260k" / "stories260K_f32.safetensors"), {})
    assert {p.role for v in made.values() for p in v} == {
        "embed",
        "norm",
        "attn.q",
        "attn.k",
        "attn.v",
        "attn.o",
        "mlp.gate",
        "mlp.up",
        "mlp.down",
    }
    assert made["blk.0.attn_k.weight"][0].out_set == "kv_heads"


def test_lora_names_with_colons() -> None:
    """Pairs are lora.a and lora.b; the two token vectors stay unknown."""
    made = places(header(DATA / "lora_disney" / "lora_disney.safetensors"), {})
    assert [n for n, v in made.items() if v[0].role == "unknown"] == ["<s1>", "<s2>"]
