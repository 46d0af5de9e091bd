"""Folders that are no checkpoint: what they are, and a path below them that opens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from tests.checkpoints.corpus import index, write, zeros
from tests.checkpoints.folders import (
    MODEL,
    STATES,
    deepspeed,
    hub_model,
    megatron,
    ollama,
    opens,
    pipeline,
    refusal,
)
from weightscope.checkpoints import Opening, open_checkpoint
from weightscope.checkpoints.readers.below import FOLDERS
from weightscope.errors import CheckpointError


def test_diffusers(tmp_path: Path) -> None:
    """The parts with weights are listed, and the main one is the example."""
    message = refusal(pipeline(tmp_path))
    assert "a diffusers pipeline with models in text_encoder, unet, vae" in message
    assert message.endswith(f"{tmp_path}/unet")
    assert opens(message) == ["w"]


def test_diffusers_of_two_variants(tmp_path: Path) -> None:
    """A part with two files is named by its files."""
    write(pipeline(tmp_path) / "unet" / "diffusion_pytorch_model.fp16.safetensors", MODEL)
    message = refusal(tmp_path)
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in message
    assert opens(message) == ["w"]


def test_diffusers_without_weights(tmp_path: Path) -> None:
    """A pipeline of which only the configs were downloaded."""
    write(tmp_path / "model_index.json", b"{}")
    write(tmp_path / "unet" / "config.json", b"{}")
    assert "a diffusers pipeline without weights; download" in refusal(tmp_path)


@pytest.mark.parametrize("marker", ["_CHECKPOINT_METADATA", "_METADATA", "manifest.ocdbt"])
def test_orbax(marker: str, tmp_path: Path) -> None:
    """The folder to restore is named, from the run, its step and its item."""
    item = tmp_path / "1000" / "default"
    write(item / marker, b"{}")
    write(tmp_path / "1000" / "_CHECKPOINT_METADATA", b"{}")
    write(tmp_path / "900" / "_CHECKPOINT_METADATA", b"{}")
    for folder in (tmp_path, tmp_path / "1000", item):
        message = refusal(folder)
        assert f"an Orbax checkpoint (JAX); restore {item} with orbax.checkpoint" in message


def test_ollama(tmp_path: Path) -> None:
    """Each model is named with its blob, from the store and the folder that holds it."""
    store = ollama(tmp_path / "models")
    for folder, below in ((store, ""), (tmp_path, "models/")):
        message = refusal(folder)
        assert "a store of ollama with GGUF files: " in message
        assert f"llama3:8b in {below}blobs/sha256-ab12" in message
        assert f"hf.co/org/tiny:latest in {below}blobs/sha256-cd34" in message
        assert f"{store}/blobs/sha256-" in message


@pytest.mark.parametrize(
    "manifest",
    [b"", b"{", b"[]", b'{"layers": 1}', b'{"layers": [1, {}]}', b"[" * 9999]
    + [b'{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": %b}]}' % digest
       for digest in (b"1", b'"sha256:../../../x"', b'"x"')],
)  # fmt: skip
def test_hostile_manifest(manifest: bytes, tmp_path: Path) -> None:
    """A manifest that is none names no blob."""
    store = tmp_path / "store"
    write(store / "manifests" / "registry.ollama.ai" / "library" / "m" / "t", manifest)
    write(store / "blobs" / "sha256-ab12", b"GGUF")
    assert "a store of ollama without a model" in refusal(store)


FORMATS = {
    "saved_model.pb": "a TensorFlow SavedModel",
    "model.ckpt-5.data-00000-of-00001": "a TensorFlow checkpoint",
    "flax_model.msgpack": "a flax file",
    "tf_model.h5": "a Keras file",
    "model.onnx": "an ONNX file",
    "llama.Q4_0.gguf": "a GGUF file",
    "net.tflite": "a TFLite file",
}


@pytest.mark.parametrize("name", FORMATS)
def test_other_formats(name: str, tmp_path: Path) -> None:
    """A folder with a file of another format is named by it."""
    write(tmp_path / name, b"x")
    write(tmp_path / "config.json", b"{}")
    message = refusal(tmp_path)
    assert f"found {FORMATS[name]} ({name}); this version does not read it" in message


def test_models_below(tmp_path: Path) -> None:
    """The folders of a training run are named, each of them opens."""
    for step in (9, 10):
        write(tmp_path / f"checkpoint-{step}" / "model.safetensors", MODEL)
    message = refusal(tmp_path)
    assert "found checkpoint-9/, checkpoint-10/; name the file, or the folder" in message
    assert opens(message) == ["w"]


@pytest.mark.parametrize("name", ["lightning_logs/version_0/checkpoints/last.ckpt", "a/b/c/m.bin"])
def test_deep_model(name: str, tmp_path: Path) -> None:
    """One model some folders below is named by its folder."""
    (tmp_path / name).parent.mkdir(parents=True)
    torch.save({"w": torch.ones(2, 3)}, tmp_path / name)
    message = refusal(tmp_path)
    assert message.endswith(f"name {tmp_path}/{os.path.dirname(name)}")
    assert opens(message) == ["w"]


def test_several_files_below(tmp_path: Path) -> None:
    """A folder with several models is named by its files, such as the cache of torch.hub."""
    for name in ("a.safetensors", "b.safetensors"):
        write(tmp_path / "checkpoints" / name, MODEL)
    message = refusal(tmp_path)
    assert "models are in checkpoints/a.safetensors, checkpoints/b.safetensors" in message
    assert opens(message) == ["w"]


def test_sharded_below(tmp_path: Path) -> None:
    """Shards with an index, or complete without one, are a model; half of a set is none."""
    shard = "model-0000{}-of-00002.safetensors"
    write(tmp_path / "whole" / shard.format(1), zeros("a"))
    write(tmp_path / "whole" / shard.format(2), zeros("b"))
    write(tmp_path / "half" / shard.format(1), zeros("a"))
    message = refusal(tmp_path)
    assert message.endswith(f"name {tmp_path}/whole")
    index(tmp_path / "half" / "model.safetensors.index.json", {"a": shard.format(1)})
    assert "models are in half, whole" in refusal(tmp_path)


def test_a_model_at_the_top_is_read(tmp_path: Path) -> None:
    """No marker hides a model: the folders of other programs beside it change nothing."""
    pipeline(deepspeed(megatron(tmp_path, "mp_rank_00"), STATES))
    ollama(tmp_path)
    hub_model(tmp_path, "c0ffee")
    write(tmp_path / "_METADATA", b"{}")
    write(tmp_path / "model.safetensors", MODEL)
    found = open_checkpoint(tmp_path)
    assert found.notes == ("read model.safetensors",)


def test_one_states_file_is_read(tmp_path: Path) -> None:
    """The weights of DeepSpeed without optimizer states open as they did."""
    folder = deepspeed(tmp_path, STATES) / "global_step9"
    assert open_checkpoint(folder).tensors[0].name == "w"


def test_search_is_bounded(tmp_path: Path) -> None:
    """A search ends after a number of folders, does not follow links, and skips hidden ones."""
    write(tmp_path / ".cache" / "model.safetensors", MODEL)
    os.symlink(tmp_path, tmp_path / "loop")
    for number in range(FOLDERS + 5):
        (tmp_path / f"d{number}").mkdir()
    write(tmp_path / f"d{FOLDERS + 4}" / "model.safetensors", MODEL)
    assert refusal(tmp_path).endswith("name the file, or the folder that holds it")


def test_hostile_names_below(tmp_path: Path) -> None:
    """Names below are escaped, and a link to another folder is not entered."""
    write(tmp_path / "home" / "a\x1b[31m" / "model.safetensors", MODEL)
    write(tmp_path / "other" / "model.safetensors", MODEL)
    os.symlink("../other", tmp_path / "home" / "link")
    message = refusal(tmp_path / "home")
    assert "\x1b" not in message
    assert message.endswith("home/a\\x1b[31m")
    assert "models are in" not in message


def test_salvage_names_the_same(tmp_path: Path) -> None:
    """--salvage makes no model of such a folder."""
    with pytest.raises(CheckpointError, match="a diffusers pipeline"):
        open_checkpoint(pipeline(tmp_path), Opening(salvage=True))
