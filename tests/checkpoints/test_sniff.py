"""What a file is, and what strangers are called."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch

from tests.checkpoints.corpus import framed, write, zeros
from weightscope.checkpoints.readers.sniff import sniff
from weightscope.errors import CheckpointError


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"), io.BytesIO())
    return buffer.getvalue()


def npz() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("w.npy", b"\x93NUMPY")
    return buffer.getvalue()


LLAMA2C = struct.pack("<7i", 64, 172, 5, 8, 4, 512, 512) + bytes(4 * 64 * 512)
STRANGERS = {
    "m.gguf": (
        b"GGUF\3\0\0\0",
        "a GGUF file; this version does not read it: convert it to safetensors",
    ),
    "m.ggml": (b"lmgg" + bytes(8), "a legacy ggml file"),
    "j.bin": (b"tjgg" + bytes(8), "a legacy ggml file .ggjt."),
    "f.bin": (b"fmgg" + bytes(8), "a legacy ggml file .ggmf."),
    "a.bin": (b"algg" + bytes(8), "ggml adapter"),
    "k.bin": (b"24ka" + bytes(8), "a llama2.c checkpoint"),
    "stories.bin": (LLAMA2C, "a llama2.c checkpoint"),
    "w.npy": (b"\x93NUMPY\1\0", "a numpy array .*pass a dict of tensors"),
    "w.npz": (npz(), "a numpy archive .*pass a dict of tensors"),
    "w.h5": (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    "m.tar.gz": (b"\x1f\x8b\x08" + bytes(9), "a gzip archive .*unpack it"),
    "m.xz": (b"\xfd7zXZ\0" + bytes(9), "an xz archive"),
    "m.7z": (b"7z\xbc\xaf\x27\x1c" + bytes(9), "a 7z archive"),
    "m.rar": (b"Rar!\x1a\x07\0", "a rar archive"),
    "m.bz2": (b"BZh91AY", "a bzip2 archive"),
    "m.zst": (b"\x28\xb5\x2f\xfd" + bytes(9), "a zstd archive"),
    "m.tar": (tar(), "a tar archive"),
    "e.pt": (b"PK\5\6" + bytes(18), "an empty zip archive"),
    "r.parquet": (b"PAR1" + bytes(9), "a Parquet file"),
    "p.pt": (
        b"version https://git-lfs.github.com/spec/v1\nsize 12\n",
        "sha256 not given, size 12.; run git lfs pull",
    ),
    "h.pt": (b"\n <html><body>Not found", "an HTML page: .*download the file again"),
    "x.pt": (b"<Error><Code>AccessDenied</Code></Error>", "an XML text"),
    "j.pt": (b'{"error":"x"}', "a JSON text"),
    ".metadata": (
        b"\x80\2}",
        "distributed checkpoint; convert it: python -m torch.distributed.checkpoint",
    ),
    "__0_0.distcp": (b"PK\3\4", "distributed checkpoint"),
    "bf16_zero_pp_rank_0_optim_states.pt": (
        b"PK\3\4",
        "DeepSpeed optimizer states; convert the run",
    ),
    "notes.txt": (
        b"hello, world",
        "a file that begins with 68 65 6c 6c 6f 2c 20 77; check that the download",
    ),
    "nothing": (b"", "an empty file"),
    "short.bin": (b"", "an empty file"),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_strangers(name: str, tmp_path: Path) -> None:
    """What is no checkpoint is named for what it is, with what to do."""
    data, text = STRANGERS[name]
    with pytest.raises(CheckpointError, match=f"(?s)expected a checkpoint.*; found .*{text}"):
        sniff(write(tmp_path / name, data))


def test_safetensors_by_bytes(tmp_path: Path) -> None:
    """A safetensors file is known under any name, also where its length begins like a pickle."""
    assert sniff(write(tmp_path / "noname", zeros("w"))).name == "safetensors"
    assert (
        sniff(write(tmp_path / "x.bin", framed(b"{" + b" " * 639 + b"}", length=0x280))).name
        == "safetensors"
    )


def test_damaged_safetensors_by_suffix(tmp_path: Path) -> None:
    """Bytes that mean nothing are judged by the reader of their suffix."""
    assert sniff(write(tmp_path / "x.safetensors", b"\xff" * 40)).name == "safetensors"
    assert sniff(write(tmp_path / "x.pth", b"cos\nsystem\n")).name == "torch"


def test_seven_numbers_make_a_llama2c(tmp_path: Path) -> None:
    """A .bin too short for them is left to the torch reader."""
    assert sniff(write(tmp_path / "x.bin", LLAMA2C[:27])).name == "torch"


@pytest.mark.parametrize("new", [True, False])
def test_torch_by_bytes(new: bool, tmp_path: Path) -> None:
    """A torch file is known by its bytes, zip or legacy, whatever its suffix."""
    torch.save(
        {"w": torch.zeros(2)}, tmp_path / "weights.safetensors", _use_new_zipfile_serialization=new
    )
    assert sniff(str(tmp_path / "weights.safetensors")).name == "torch"
