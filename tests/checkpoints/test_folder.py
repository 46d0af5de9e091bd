"""Folders and sharded indexes: what is chosen, what is refused, what is flagged."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import torch

from tests.checkpoints.corpus import built, entry, index, write, zeros
from weightscope.checkpoints import Checkpoint, Opening, open_checkpoint
from weightscope.checkpoints.readers.inside import safe_name
from weightscope.checkpoints.readers.shards import digest
from weightscope.errors import CheckpointError

A, B = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
INDEX = "model.safetensors.index.json"


def sharded(folder: Path, weights: object = None, **fields: object) -> Path:
    """Two shards of one tensor each, and their index."""
    write(folder / A, zeros("a"))
    write(folder / B, zeros("b"))
    index(folder / INDEX, {"a": A, "b": B} if weights is None else weights, **fields)
    return folder


def flags(folder: Path) -> str:
    return "\n".join(open_checkpoint(folder).flags)


def names(found: Checkpoint) -> list[str]:
    return [t.name for t in found.tensors]


def test_sharded(tmp_path: Path) -> None:
    """A sound index unites its shards in silence, whether the folder or the index is named."""
    sharded(tmp_path, metadata={"total_size": 48})
    for source in (tmp_path, tmp_path / INDEX):
        found = open_checkpoint(source)
        assert (names(found), found.flags, found.missing) == (["a", "b"], (), ())
        assert sorted(os.path.basename(path) for path, _, _ in found.files) == [A, B]
        assert found.source == str(source)


def test_sharded_torch(tmp_path: Path) -> None:
    """Torch shards go the same way."""
    for number, name in ((1, "a"), (2, "b")):
        torch.save({name: torch.ones(2, 3)}, tmp_path / f"pytorch_model-0000{number}-of-00002.bin")
    index(
        tmp_path / "pytorch_model.bin.index.json",
        {name: f"pytorch_model-0000{number}-of-00002.bin" for number, name in ((1, "a"), (2, "b"))},
    )
    assert names(open_checkpoint(tmp_path)) == ["a", "b"]
    assert open_checkpoint(tmp_path).flags == ()


HOSTILE = [
    "../x.safetensors",
    "a/../../x",
    "/etc/passwd",
    "C:x.safetensors",
    "C:\\x",
    "\\\\host\\share",
    "a\\b",
    "a\0b",
    "https://h/x",
    "file:///x",
    "",
    ".",
    "a//b",
    "./x",
]


@pytest.mark.parametrize("shard", HOSTILE)
def test_hostile_shard_names(shard: str, tmp_path: Path) -> None:
    """Row 56: a shard name that leaves the folder is refused before anything is opened."""
    index(tmp_path / INDEX, {"a": shard})
    with pytest.raises(
        CheckpointError, match="expected shard names below the index's folder; found '"
    ):
        open_checkpoint(tmp_path)


def test_safe_names() -> None:
    """Plain names, also in folders below, are fine."""
    for name in (A, "part/model.safetensors", "a..b", "..a"):
        safe_name(name)


def test_links(tmp_path: Path) -> None:
    """Row 57: a link out of the folder is refused unless it is allowed."""
    folder = sharded(tmp_path / "model")
    os.replace(folder / B, tmp_path / "outside")
    os.symlink("../outside", folder / B)
    with pytest.raises(
        CheckpointError, match=f"files inside the folder; {B} leads to .*outside; --follow-symlinks"
    ):
        open_checkpoint(folder)
    assert names(open_checkpoint(folder, Opening(follow_symlinks=True))) == ["a", "b"]
    os.symlink("../outside", tmp_path / "model" / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"model\.safetensors leads to"):
        open_checkpoint(folder)


@pytest.mark.parametrize("config", ["config.json", "adapter_config.json"])
@pytest.mark.parametrize("name", ["", "model.safetensors", INDEX])
def test_links_of_configs(tmp_path: Path, config: str, name: str) -> None:
    """A config that leads out of the folder is refused, however the model is named."""
    folder = sharded(tmp_path / "model")
    write(folder / "model.safetensors", zeros("w"))
    write(tmp_path / "outside.json", b'{"hidden_size": 8}')
    os.symlink("../outside.json", folder / config)
    with pytest.raises(
        CheckpointError, match=rf"{config} leads to .*outside\.json; --follow-symlinks allows it"
    ):
        open_checkpoint(folder / name)
    opened = open_checkpoint(folder / name, Opening(follow_symlinks=True)).config
    assert opened in ({"hidden_size": 8}, {"peft": {"hidden_size": 8}})


def test_links_inside(tmp_path: Path) -> None:
    """A link to another file of the folder, or a folder that is a link itself, is no departure."""
    folder = tmp_path / "model"
    write(folder / "model.safetensors", zeros("w"))
    write(folder / "own.json", b'{"hidden_size": 8}')
    os.symlink("own.json", folder / "config.json")
    os.symlink("model", tmp_path / "other")
    assert open_checkpoint(tmp_path / "other").config == {"hidden_size": 8}


def test_link_of_an_index(tmp_path: Path) -> None:
    """An index that leads out of the folder is refused."""
    folder = sharded(tmp_path / "model")
    os.replace(folder / INDEX, tmp_path / "outside")
    os.symlink("../outside", folder / INDEX)
    with pytest.raises(CheckpointError, match=r"leads to .*outside; --follow-symlinks"):
        open_checkpoint(folder)
    assert names(open_checkpoint(folder, Opening(follow_symlinks=True))) == ["a", "b"]


def test_hub_cache(tmp_path: Path) -> None:
    """Row 57: links into the blobs of the same Hub cache are allowed, into another's are not."""
    snapshot = tmp_path / "models--o--n" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    write(tmp_path / "models--o--n" / "blobs" / "1234", zeros("w"))
    write(tmp_path / "models--o--other" / "blobs" / "1234", zeros("w"))
    write(tmp_path / "models--o--n" / "blobs" / "5678", b'{"hidden_size": 8}')
    os.symlink("../../blobs/1234", snapshot / "model.safetensors")
    os.symlink("../../blobs/5678", snapshot / "config.json")
    assert names(open_checkpoint(snapshot)) == ["w"]
    assert open_checkpoint(snapshot / "model.safetensors").config == {"hidden_size": 8}
    os.unlink(snapshot / "model.safetensors")
    os.symlink("../../../models--o--other/blobs/1234", snapshot / "model.safetensors")
    with pytest.raises(CheckpointError, match="leads to"):
        open_checkpoint(snapshot)


def test_link_loop(tmp_path: Path) -> None:
    """Row 71: a shard that links to itself is refused."""
    os.symlink("model.safetensors", tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="symbolic links"):
        open_checkpoint(tmp_path)


def test_missing_shard(tmp_path: Path) -> None:
    """Row 58: a missing shard is refused; --salvage reads the others; without any it is refused."""
    os.unlink(sharded(tmp_path) / B)
    with pytest.raises(
        CheckpointError,
        match=f"every shard of the index; found 1 of 2 shards; missing {B}; .*--salvage",
    ):
        open_checkpoint(tmp_path)
    found = open_checkpoint(tmp_path, Opening(salvage=True))
    assert (names(found), found.missing) == (["a"], (f"1 of 2 shards; missing {B}",))
    os.unlink(tmp_path / A)
    with pytest.raises(CheckpointError, match="found 0 of 2 shards"):
        open_checkpoint(tmp_path, Opening(salvage=True))


def test_damaged_shard(tmp_path: Path) -> None:
    """A damaged shard is refused under its name, and salvaged under its name."""
    write(sharded(tmp_path) / B, zeros("b", "c")[:-5])
    with pytest.raises(CheckpointError, match=f"shard {B}: safetensors: .*truncated"):
        open_checkpoint(tmp_path)
    found = open_checkpoint(tmp_path, Opening(salvage=True))
    assert found.missing[0].startswith(f"{B}: truncated")
    write(tmp_path / B, b"version https://git-lfs.github.com/spec/v1\nsize 9\n")
    with pytest.raises(CheckpointError, match=f"shard {B}: .*git-LFS pointer"):
        open_checkpoint(tmp_path)


def test_index_against_shards(tmp_path: Path) -> None:
    """Rows 59, 60: tensors that only the index or only a shard has are flags."""
    sharded(tmp_path, {"a": A, "ghost": B})
    assert "the index names 1 tensors that their shard does not hold: ghost" in flags(tmp_path)
    assert "the shards hold 1 tensors that the index does not name: b" in flags(tmp_path)


@pytest.mark.parametrize(("first", "word"), [(0, "identical"), (1, "different")])
def test_tensor_twice(first: int, word: str, tmp_path: Path) -> None:
    """Row 61: a tensor in two shards is a flag that compares the bytes; the index chooses."""
    sharded(tmp_path)
    write(tmp_path / A, zeros("b", first=first))
    index(tmp_path / INDEX, {"b": B, "a": A})
    assert f"b is stored in {A}, {B}: {word} bytes" in flags(tmp_path)
    kept = open_checkpoint(tmp_path).tensors[0]
    assert kept.file.endswith(B)
    assert (digest(kept) == digest(open_checkpoint(tmp_path / A).tensors[0])) == (
        word == "identical"
    )


def test_index_names_twice(tmp_path: Path) -> None:
    """Row 61: a doubled name in the index is a flag."""
    sharded(tmp_path)
    write(tmp_path / INDEX, f'{{"weight_map": {{"a": "{A}", "a": "{A}", "b": "{B}"}}}}'.encode())
    assert f"{INDEX} names 1 tensors twice: a" in flags(tmp_path)


def test_stale_index(tmp_path: Path) -> None:
    """Rows 62, 66: gaps in shard numbers, and shards that no index names, are flags with counts."""
    write(tmp_path / "model-00003-of-00030.safetensors", zeros("a"))
    write(tmp_path / A, zeros("b"))
    index(tmp_path / INDEX, {"a": "model-00003-of-00030.safetensors"})
    assert "shard file names count 30 shards, the index names 1" in flags(tmp_path)
    assert f"1 shards in the folder are not in the index: {A}" in flags(tmp_path)


@pytest.mark.parametrize("total", [47, "48", "\x1b[31m"])
def test_total_size(total: object, tmp_path: Path) -> None:
    """Row 63: a wrong total_size, or one that is a string, is a flag."""
    sharded(tmp_path, metadata={"total_size": total})
    assert f"total_size {str(total)!r}, the tensors take 48 bytes" in flags(tmp_path)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"nonsense", "expected valid JSON"),
        (b"[]", "an object weight_map of names and shards"),
        (b'{"weight_map": []}', "an object weight_map"),
        (b'{"weight_map": {}}', "an object weight_map"),
        (b'{"weight_map": {"a": 1}}', "every shard to be a string; found another type under 'a'"),
        (b'{"weight_map": {"a": ["x"]}}', "every shard to be a string"),
        (b"[" * 9999, "at most 64 levels"),
    ],
)
def test_bad_index(data: bytes, text: str, tmp_path: Path) -> None:
    """Row 64: an index that is no index is refused."""
    write(tmp_path / INDEX, data)
    with pytest.raises(CheckpointError, match=f"{re.escape(INDEX)}: .*{text}"):
        open_checkpoint(tmp_path)


def test_giant_index(tmp_path: Path) -> None:
    """Row 64: an index over the limit is refused unread."""
    with open(tmp_path / INDEX, "wb") as file:
        file.truncate((256 << 20) + 1)
    with pytest.raises(CheckpointError, match="at most 268435456 bytes; found 268435457"):
        open_checkpoint(tmp_path)


ORDER = [
    "model.safetensors",
    INDEX,
    "diffusion_pytorch_model.safetensors.index.json",
    "adapter_model.safetensors",
    "adapter_model.bin",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "other.index.json",
    "weights.safetensors",
    "weights.pt",
]


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_order(first: int, tmp_path: Path) -> None:
    """Row 65: of several forms the first of the order is read, alone, and the choice is said."""
    write(tmp_path / "shard" / A, zeros("from.index"))
    for name in ORDER[first:]:
        if name.endswith(".index.json"):
            index(tmp_path / name, {"from.index": f"shard/{A}"})
        else:
            write(tmp_path / name, zeros(name))
    found = open_checkpoint(tmp_path)
    assert names(found) == ["from.index" if ORDER[first].endswith(".json") else ORDER[first]]
    assert found.notes[0].startswith(f"read {ORDER[first]}")
    assert ("also there and not read: " in found.notes[0]) == (first < len(ORDER) - 1)
    assert all(name in found.notes[0] for name in ORDER[first + 1 :])


def test_training_leftovers(tmp_path: Path) -> None:
    """Optimizer and argument files beside the one checkpoint are no models."""
    for name in ("training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state_0.pth"):
        write(tmp_path / name, b"x")
    write(tmp_path / "net.safetensors", zeros("w"))
    assert open_checkpoint(tmp_path).notes == ("read net.safetensors",)


def test_several_models(tmp_path: Path) -> None:
    """Two equals are not united and not guessed."""
    for name in ("a.safetensors", "b.safetensors"):
        write(tmp_path / name, zeros("w"))
    with pytest.raises(
        CheckpointError,
        match=r"one model in the folder; found 2: a.safetensors, b.safetensors; name",
    ):
        open_checkpoint(tmp_path)
    for name in ("x.index.json", "y.index.json"):
        index(tmp_path / name, {})
    with pytest.raises(CheckpointError, match=r"found 2: x.index.json, y.index.json"):
        open_checkpoint(tmp_path)


def test_no_model(tmp_path: Path) -> None:
    """Row 67: the refusal of a folder lists its content, escaped, or a distributed checkpoint."""
    with pytest.raises(CheckpointError, match="a model in the folder; found nothing"):
        open_checkpoint(tmp_path)
    write(tmp_path / "unet" / "model.safetensors", zeros("w"))
    write(tmp_path / "read\x1bme", b"")
    with pytest.raises(
        CheckpointError, match=r"found read\\x1bme, unet/; name the file, or the folder"
    ):
        open_checkpoint(tmp_path)
    write(tmp_path / ".metadata", b"\x80\2")
    with pytest.raises(CheckpointError, match="found a torch distributed checkpoint; convert it"):
        open_checkpoint(tmp_path)


def test_shard_is_no_file(tmp_path: Path) -> None:
    """Row 68: a folder, or a pipe, in a shard's place is refused."""
    folder = sharded(tmp_path)
    os.unlink(folder / B)
    os.mkfifo(folder / B)
    with pytest.raises(CheckpointError, match="is a named pipe"):
        open_checkpoint(folder)
    os.unlink(folder / B)
    (folder / B).mkdir()
    with pytest.raises(CheckpointError, match="is a folder"):
        open_checkpoint(folder)


def test_unreadable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 69: a folder that may not be listed is refused."""

    def forbidden(_: object) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("weightscope.checkpoints.readers.inside.os.listdir", forbidden)
    with pytest.raises(CheckpointError, match="permission denied; check its owner and mode"):
        open_checkpoint(tmp_path)


def test_odd_folder_name(tmp_path: Path) -> None:
    """Row 70: newlines and bytes that are not UTF-8 in a path open, and are escaped in messages."""
    folder = tmp_path / os.fsdecode(b"a\n\xff")
    assert names(open_checkpoint(write(folder / "model.safetensors", zeros("w")))) == ["w"]
    assert names(open_checkpoint(folder)) == ["w"]
    with pytest.raises(CheckpointError, match=r"a\\n\\udcff/none: "):
        open_checkpoint(folder / "none")


def test_sparse_file(tmp_path: Path) -> None:
    """Row 72: a file with holes opens like any other."""
    size = 1 << 32
    path = write(tmp_path / "x.safetensors", built({"w": entry("U8", [size], [0, size])}, b""))
    os.truncate(path, os.path.getsize(path) + size)
    assert open_checkpoint(path).tensors[0].nbytes == size


def test_peft_folder(tmp_path: Path) -> None:
    """An adapter's folder has its config under `peft`; its pairs have their scale."""
    header = {"m.lora_A.weight": entry(), "m.lora_B.weight": entry(shape=[3, 2], offsets=[24, 48])}
    write(tmp_path / "adapter_model.safetensors", built(header, bytes(48)))
    write(tmp_path / "adapter_config.json", json.dumps({"r": 2, "lora_alpha": 8}).encode())
    for source in (tmp_path, tmp_path / "adapter_model.safetensors"):
        found = open_checkpoint(source)
        assert found.config == {"peft": {"r": 2, "lora_alpha": 8}}
        assert [(p.module, p.scale) for p in found.pairs] == [("m", 4.0)]
