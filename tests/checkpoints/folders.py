"""Folders of other programs, and what a message about one of them names."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import torch

from tests.checkpoints.corpus import write, zeros
from weightscope.checkpoints import open_checkpoint
from weightscope.errors import CheckpointError

MODEL = zeros("w")
NAMED = re.compile(r"name (?:one of them, such as )?(/\S+?)(?:[;,]|$)")


def refusal(folder: Path) -> str:
    """The message about a folder."""
    with pytest.raises(CheckpointError) as raised:
        open_checkpoint(folder)
    return str(raised.value)


def opens(message: str) -> list[str]:
    """The tensors of the path that a message names: the advice works when it is followed."""
    match = NAMED.search(message)
    assert match, message
    return [tensor.name for tensor in open_checkpoint(match[1]).tensors]


def hub_model(folder: Path, *commits: str, main: str = "") -> Path:
    """The folder of a model in a cache of the Hub, its files links to blobs."""
    write(folder / "blobs" / "1234", MODEL)
    for commit in commits:
        snapshot = folder / "snapshots" / commit
        snapshot.mkdir(parents=True)
        os.symlink("../../blobs/1234", snapshot / "model.safetensors")
    if main:
        write(folder / "refs" / "main", main.encode())
    return folder


def pipeline(folder: Path) -> Path:
    """A folder of diffusers."""
    write(folder / "model_index.json", b'{"_class_name": "StableDiffusionPipeline"}')
    write(folder / "scheduler" / "scheduler_config.json", b"{}")
    write(folder / "text_encoder" / "model.safetensors", MODEL)
    write(folder / "unet" / "diffusion_pytorch_model.safetensors", MODEL)
    write(folder / "vae" / "diffusion_pytorch_model.safetensors", MODEL)
    return folder


def deepspeed(folder: Path, *files: str) -> Path:
    """A run of DeepSpeed: two steps, of which `latest` names the first."""
    write(folder / "latest", b"global_step9")
    write(folder / "zero_to_fp32.py", b"")
    for step in ("global_step9", "global_step10"):
        for file in files:
            (folder / step).mkdir(exist_ok=True)
            torch.save({"module": {"w": torch.ones(2, 3)}}, folder / step / file)
    return folder


STATES = "mp_rank_00_model_states.pt"
OPTIMIZER = "zero_pp_rank_0_mp_rank_00_optim_states.pt"


def megatron(folder: Path, *ranks: str) -> Path:
    """A run of Megatron-LM."""
    write(folder / "latest_checkpointed_iteration.txt", b"200")
    for rank in ranks:
        (folder / "iter_0000200" / rank).mkdir(parents=True)
        states = {"model": {"w": torch.ones(2, 3)}}
        torch.save(states, folder / "iter_0000200" / rank / "model_optim_rng.pt")
    return folder


def ollama(home: Path) -> Path:
    """A store of ollama with a model of the library and one of another host."""
    manifests = home / "manifests"
    layers = [
        {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:00"},
        {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:ab12"},
    ]
    text = json.dumps({"schemaVersion": 2, "layers": layers}).encode()
    write(manifests / "registry.ollama.ai" / "library" / "llama3" / "8b", text)
    write(manifests / "hf.co" / "org" / "tiny" / "latest", text.replace(b"ab12", b"cd34"))
    write(home / "blobs" / "sha256-ab12", b"GGUF")
    write(home / "blobs" / "sha256-cd34", b"GGUF")
    return home
