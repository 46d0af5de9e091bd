"""Findings in real checkpoints: no error, few warnings, each of them true, and useful notes."""

from pathlib import Path

import pytest

import weightscope as ws

DATA = Path(__file__).parents[3] / "shared" / "data"
GPT = "transformer.wte.weight"
K = "transformer.h.{}.attn.c_attn.weight[k]".format
WARNED = {
    "gpt6/gpt6_seed0_step00400.safetensors": {GPT: "WS131"},
    "gpt6/gpt6_seed0_step01600.safetensors": {GPT: "WS131"},
    "stories260k/stories260K_f32.safetensors": {"token_embd.weight": "WS131"},
}
TOLD = {  # one column of keys; branches that hardly any channel uses
    "gpt6/gpt6_seed0_step00400.safetensors": {K(0): "WS143"},
    "gpt6/gpt6_seed0_step01600.safetensors": {K(0): "WS143", K(3): "WS143", K(4): "WS143"},
    "rfb320/version-RFB-320.pth": {
        "classification_headers.2.0.weight": "WS141",
        "extras.0.0.weight": "WS141,WS143",
        "extras.0.2.0.weight": "WS141",
        "extras.0.2.2.weight": "WS141,WS143",
    },
    "demo:gpt": {
        "lm_head.weight": "WS141,WS143",
        "model.layers.1.self_attn.o_proj.weight": "WS143",
    },
}
SHARED = (
    *(f"gpt6/gpt6_seed0_step{step:05}.safetensors" for step in (0, 400, 1600)),
    "gpt6/lora", "lora_disney/lora_disney.safetensors", "onet/onet.pt",
    "rfb320/version-RFB-320.pth",
    "stories260k/stories260K_f32.safetensors",
    "resnet_cifar/resnet20-12fca82f.th", "resnet_cifar/resnet56-4bfd9763.th",
)  # fmt: skip
DEMOS = ("demo:gpt", "demo:gpt-start", "demo:gpt-lora")


def told(name):
    """Findings by severity; of the largest adapter, one of its two networks."""
    source = name if name.startswith("demo:") else DATA / name
    part = {"include": "text_encoder*"} if "disney" in name else {}
    rows = ws.outliers(
        source, panels=False, columns=["tensor", "severity", "findings"], **part
    ).rows
    assert rows
    return {
        s: {r["tensor"]: r["findings"] for r in rows if r["severity"] == s}
        for s in ("error", "warn", "info")
    }


@pytest.mark.parametrize("name", [*SHARED, *DEMOS])
def test_what_real_checkpoints_are_told(name):
    """No error; untrained tokens are the only warning; ordinary tensors have no finding."""
    if name in SHARED and not (DATA / name).exists():
        pytest.skip("the shared checkpoints are not here")
    assert told(name) == {"error": {}, "warn": WARNED.get(name, {}), "info": TOLD.get(name, {})}


@pytest.mark.parametrize(
    ("name", "tensor", "many"),
    [
        (SHARED[1], GPT, 33),
        (SHARED[2], GPT, 33),
        (SHARED[0], GPT, 0),
        (SHARED[7], "token_embd.weight", 264),
    ],
)
@pytest.mark.skipif(not DATA.is_dir(), reason="the shared checkpoints are not here")
def test_untrained_tokens(name, tensor, many):
    """Characters absent from the text, of large norm; bytes absent from stories. None at first."""
    (row,) = ws.outliers(DATA / name, include=tensor, panels=False).rows
    assert row["untrained_rows"] == many
    assert row["dead_rows"] == row["duplicate_rows"] == 0
