"""Shards that are damaged, stale or without an index: what is measured, and what is named."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import torch

from tests.checkpoints.corpus import index, write, zeros
from weightscope.checkpoints import Checkpoint, Opening, open_checkpoint
from weightscope.checkpoints.readers.numbered import numbered_sets
from weightscope.errors import CheckpointError

A, B = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
INDEX = "model.safetensors.index.json"
SALVAGE = Opening(salvage=True)
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 9\n"
BAD = {
    "LFS pointer": (LFS, "a git-LFS pointer"),
    "HTML": (b"<!DOCTYPE html><html>404</html>", "an HTML page"),
    "XML": (b"<?xml version='1.0'?><Error/>", "an XML text"),
    "JSON": (b'{"error":"Invalid username or password."}', "a JSON text"),
    "empty": (b"", "an empty file"),
    "zeros": (bytes(4096), "length 0 announced"),
    "three bytes": (b"\1\2\3", "the file has 3 bytes"),
    "cut header": (zeros("b")[:20], "truncated: 12 of"),
    "forged header": (zeros("b").replace(b"F32", b"F99"), "F99"),
    "gzip": (b"\x1f\x8b\x08" + bytes(40), "a gzip archive"),
    "malicious pickle": (b"\x80\x02cos\nsystem\nX\1\0\0\0x\x85R.", "os.system"),
}


def names(found: Checkpoint) -> list[str]:
    return [tensor.name for tensor in found.tensors]


def sharded(folder: Path) -> Path:
    """Two shards of one tensor each, and their index."""
    write(folder / A, zeros("a"))
    write(folder / B, zeros("b"))
    index(folder / INDEX, {"a": A, "b": B})
    return folder


@pytest.mark.parametrize("has_index", [True, False], ids=["index", "numbers"])
@pytest.mark.parametrize("kind", BAD)
def test_bad_shard(kind: str, has_index: bool, tmp_path: Path) -> None:
    """A shard with any fault is refused by name; --salvage names it and measures the others."""
    data, reason = BAD[kind]
    write(sharded(tmp_path) / B, data)
    if not has_index:
        os.unlink(tmp_path / INDEX)
    with pytest.raises(CheckpointError, match=f"shard {B}: .*--salvage measures the other shards"):
        open_checkpoint(tmp_path)
    found = open_checkpoint(tmp_path, SALVAGE)
    assert names(found) == ["a"]
    assert len(found.missing) == 1
    assert re.match(f"not read: shard {B}: .*{re.escape(reason)}", found.missing[0])


def test_dangling_shard(tmp_path: Path) -> None:
    """A link of a Hub cache to a blob that was not downloaded is such a shard, with its target."""
    os.unlink(sharded(tmp_path) / B)
    os.symlink("../../blobs/1234", tmp_path / B)
    with pytest.raises(
        CheckpointError,
        match=r"does not exist: it links to \.\./\.\./blobs/1234; the download is not complete",
    ):
        open_checkpoint(tmp_path, Opening(follow_symlinks=True))
    found = open_checkpoint(tmp_path, Opening(salvage=True, follow_symlinks=True))
    assert names(found) == ["a"]
    assert "blobs/1234" in found.missing[0]


def test_dangling_file(tmp_path: Path) -> None:
    """The one file of a model may be such a link too, in a folder and by its own name."""
    snapshot = tmp_path / "models--o--n" / "snapshots" / "c0ffee"
    snapshot.mkdir(parents=True)
    os.symlink("../../blobs/1234", snapshot / "model.safetensors")
    for source in (snapshot, snapshot / "model.safetensors"):
        with pytest.raises(
            CheckpointError, match=r"does not exist: it links to .*; the download is not"
        ):
            open_checkpoint(source)


def test_shard_outside(tmp_path: Path) -> None:
    """A link out of the folder is never followed: --salvage leaves that shard out."""
    folder = sharded(tmp_path / "model")
    os.replace(folder / B, tmp_path / "outside")
    os.symlink("../outside", folder / B)
    found = open_checkpoint(folder, SALVAGE)
    assert names(found) == ["a"]
    assert "leads to" in found.missing[0]


def test_special_files(tmp_path: Path) -> None:
    """A pipe and a folder in the place of shards are left out too."""
    os.unlink(sharded(tmp_path) / B)
    os.mkfifo(tmp_path / B)
    assert "is a named pipe" in open_checkpoint(tmp_path, SALVAGE).missing[0]
    os.unlink(tmp_path / B)
    (tmp_path / B).mkdir()
    assert "is a folder" in open_checkpoint(tmp_path, SALVAGE).missing[0]


def test_missing_and_bad_shards(tmp_path: Path) -> None:
    """Missing and damaged shards are both named."""
    write(tmp_path / "a.safetensors", zeros("a"))
    write(tmp_path / "b.safetensors", LFS)
    weights = {name: f"{name}.safetensors" for name in "abc"}
    index(tmp_path / INDEX, weights)
    missing = open_checkpoint(tmp_path, SALVAGE).missing
    assert missing[0] == "2 of 3 shards; missing c.safetensors"
    assert missing[1].startswith("not read: shard b.safetensors: ")


def test_no_good_shard(tmp_path: Path) -> None:
    """Where no shard can be read there is nothing to measure."""
    for shard in (A, B):
        write(sharded(tmp_path) / shard, LFS)
    write(tmp_path / A, LFS)
    with pytest.raises(CheckpointError, match=r"git-LFS.*\(none of 2 shards can be read\)"):
        open_checkpoint(tmp_path, SALVAGE)


def test_many_bad_shards(tmp_path: Path) -> None:
    """The report of very many bad shards is bounded."""
    count = 120
    weights = {f"t{i}": f"model-{i:05}-of-{count:05}.safetensors" for i in range(count)}
    for shard in weights.values():
        write(tmp_path / shard, b"")
    write(tmp_path / weights["t0"], zeros("t0"))
    index(tmp_path / INDEX, weights)
    missing = open_checkpoint(tmp_path, SALVAGE).missing
    assert len(missing) == 101
    assert missing[-1] == "19 more missing parts of this kind are left out"


def test_stale_index(tmp_path: Path) -> None:
    """The message of an index of another version names the complete shards that are there."""
    sharded(tmp_path)
    old = [f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)]
    index(tmp_path / INDEX, dict(zip("abc", old, strict=True)))
    with pytest.raises(
        CheckpointError,
        match=f"found 0 of 3 shards; missing {old[0]}.*; the folder holds 2 others, a complete "
        f"set: {A}, {B}; the index may be of another version: move it away",
    ):
        open_checkpoint(tmp_path)
    found = open_checkpoint(tmp_path, SALVAGE)
    assert names(found) == ["a", "b"]
    assert found.missing[0].startswith("index not used: expected every shard of the index; found 0")
    os.unlink(tmp_path / INDEX)  # as the message advises
    assert names(open_checkpoint(tmp_path)) == ["a", "b"]


def test_stale_index_of_other_names(tmp_path: Path) -> None:
    """An index of a format that was removed names none of the shards either."""
    sharded(tmp_path)
    index(tmp_path / INDEX, {"a": "pytorch_model.bin"})
    with pytest.raises(CheckpointError, match=f"a complete set: {A}, {B}"):
        open_checkpoint(tmp_path)


def test_partly_stale_index(tmp_path: Path) -> None:
    """A complete set is also named where one shard of the index is there; --salvage reads that."""
    write(sharded(tmp_path) / "other.safetensors", zeros("c"))
    index(tmp_path / INDEX, {"c": "other.safetensors", "a": "gone.safetensors"})
    with pytest.raises(CheckpointError, match=f"found 1 of 2 shards.*a complete set: {A}, {B}"):
        open_checkpoint(tmp_path)
    found = open_checkpoint(tmp_path, SALVAGE)
    assert (names(found), found.missing) == (["c"], ("1 of 2 shards; missing gone.safetensors",))


@pytest.mark.parametrize("data", [b"", LFS, b"<html>", b"{", b"{}", b'{"weight_map": {"a": 1}}'])
def test_bad_index(data: bytes, tmp_path: Path) -> None:
    """An index that cannot be read is refused; --salvage reads the numbered shards beside it."""
    write(sharded(tmp_path) / INDEX, data)
    with pytest.raises(CheckpointError, match=re.escape(INDEX)):
        open_checkpoint(tmp_path)
    for source in (tmp_path, tmp_path / INDEX):
        found = open_checkpoint(source, SALVAGE)
        assert names(found) == ["a", "b"]
        assert found.missing[0].startswith(f"index not used: {INDEX}")


def test_forged_index_is_not_salvaged(tmp_path: Path) -> None:
    """Names that leave the folder are forged: nothing of such a folder is read."""
    index(sharded(tmp_path) / INDEX, {"a": "../x.safetensors"})
    with pytest.raises(CheckpointError, match="shard names below"):
        open_checkpoint(tmp_path, SALVAGE)


def test_index_of_half_a_set(tmp_path: Path) -> None:
    """Without a complete set --salvage has no other shards to read."""
    os.unlink(sharded(tmp_path) / B)
    write(tmp_path / INDEX, b"{")
    with pytest.raises(CheckpointError, match=re.escape(INDEX)):
        open_checkpoint(tmp_path, SALVAGE)


SETS = {
    "from 1": ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
    "from 0": ["model-00000-of-00002.safetensors", "model-00001-of-00002.safetensors"],
    "another name": ["unet-1-of-2.safetensors", "unet-2-of-2.safetensors"],
    "underscore": ["weights_00001-of-00002.safetensors", "weights_00002-of-00002.safetensors"],
    "suffix first": ["m.safetensors-1-of-2.safetensors", "m.safetensors-2-of-2.safetensors"],
    "digits differ": ["model-00001-of-000002.safetensors", "model-00002-of-000002.safetensors"],
}


@pytest.mark.parametrize("kind", SETS)
def test_numbered_shards(kind: str, tmp_path: Path) -> None:
    """Complete numbered shards without an index are one model, with the config of the folder."""
    first, second = SETS[kind]
    write(tmp_path / first, zeros("a"))
    write(tmp_path / second, zeros("b"))
    write(tmp_path / "config.json", json.dumps({"n_head": 2}).encode())
    found = open_checkpoint(tmp_path)
    assert (names(found), found.flags, found.missing) == (["a", "b"], (), ())
    assert found.notes == (f"read 2 shards from {first}",)
    assert found.config == {"n_head": 2}


def test_numbered_torch_shards(tmp_path: Path) -> None:
    """Shards of torch files are united in the same way."""
    for number, name in ((1, "a"), (2, "b")):
        torch.save({name: torch.ones(2, 3)}, tmp_path / f"pytorch_model-0000{number}-of-00002.bin")
    assert names(open_checkpoint(tmp_path)) == ["a", "b"]


def test_order_of_forms(tmp_path: Path) -> None:
    """Any form with a name of its own is read instead of numbered shards, as is safetensors."""
    sharded(tmp_path)
    os.unlink(tmp_path / INDEX)
    write(tmp_path / "pytorch_model-00001-of-00002.bin", b"x")
    found = open_checkpoint(tmp_path)
    assert names(found) == ["a", "b"]
    assert found.notes[0].endswith("also there and not read: pytorch_model-00001-of-00002.bin")
    write(tmp_path / "model.safetensors", zeros("whole"))
    assert names(open_checkpoint(tmp_path)) == ["whole"]


def test_half_a_set(tmp_path: Path) -> None:
    """A part of a set must not pass for the model; --salvage measures it; a named file is read."""
    os.unlink(sharded(tmp_path) / B)
    os.unlink(tmp_path / INDEX)
    with pytest.raises(
        CheckpointError, match=f"every shard of the model; found 1 of 2 shards; missing {B}; down"
    ):
        open_checkpoint(tmp_path)
    found = open_checkpoint(tmp_path, SALVAGE)
    assert (names(found), found.missing) == (["a"], (f"1 of 2 shards; missing {B}",))
    assert names(open_checkpoint(tmp_path / A)) == ["a"]


def test_one_of_one(tmp_path: Path) -> None:
    """One shard of one is a file like any other."""
    write(tmp_path / "model-00001-of-00001.safetensors", zeros("w"))
    found = open_checkpoint(tmp_path)
    assert found.notes == ("read model-00001-of-00001.safetensors",)


def test_several_sets(tmp_path: Path) -> None:
    """Two sets, or a set and a file, are not united and not guessed."""
    sharded(tmp_path)
    os.unlink(tmp_path / INDEX)
    write(tmp_path / "other.safetensors", zeros("w"))
    with pytest.raises(
        CheckpointError, match=f"found 2: 2 shards from {A}, other.safetensors; name the one"
    ):
        open_checkpoint(tmp_path)
    os.replace(tmp_path / "other.safetensors", tmp_path / "model-00001-of-00009.safetensors")
    with pytest.raises(CheckpointError, match="of shards without an index, the folder that holds"):
        open_checkpoint(tmp_path)


def test_forged_total() -> None:
    """Of a thousand million shards that a name states ten are named, and none is listed."""
    (numbered,), others = numbered_sets(["m-000000001-of-999999999.bin", "m-2-of-2x.bin"])
    assert others == ["m-2-of-2x.bin"]
    assert numbered.lack.startswith("1 of 999999999 shards; missing m-000000002-of-999999999.bin")
    assert numbered.lack.endswith("and 999999988 more")


def test_number_beyond_total() -> None:
    """A number beyond the total completes no set."""
    (numbered,), _ = numbered_sets(["m-1-of-2.bin", "m-3-of-2.bin"])
    assert numbered.lack == "1 of 2 shards; missing m-2-of-2.bin"
