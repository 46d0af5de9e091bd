"""The laws of readers, for every member of READERS: recognition, folders, round trip, cuts."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from tests.checkpoints.corpus import write
from weightscope.checkpoints import Checkpoint, Opening, open_checkpoint
from weightscope.checkpoints.files import read_bytes
from weightscope.checkpoints.readers.members import READERS
from weightscope.checkpoints.readers.reader import HEAD, Reader
from weightscope.checkpoints.readers.sniff import sniff
from weightscope.errors import CheckpointError

TENSORS = {
    "a.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "b.bias": torch.tensor([1.5, -2.0, 0.25, 8.0]),
}


def torch_file(tensors: dict[str, torch.Tensor]) -> bytes:
    """A file of torch.save."""
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    return buffer.getvalue()


EXAMPLES: dict[str, Callable[[dict[str, torch.Tensor]], bytes]] = {  # by the name of the reader
    "safetensors": save,
    "torch": torch_file,
}
EVERY = pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)


def example(reader: Reader) -> bytes:
    """The bytes of TENSORS in the format of a reader."""
    return EXAMPLES[reader.name](TENSORS)


def content(checkpoint: Checkpoint) -> dict[str, tuple[tuple[int, ...], str, bytes]]:
    """(shape, dtype, bytes) of every tensor as it is stored."""
    tensors = {}
    for tensor in checkpoint.tensors:
        stored = read_bytes(tensor.file, tensor.offset, tensor.nbytes)
        tensors[tensor.name] = (tensor.dims, tensor.dtype, stored)
    return tensors


EXPECTED = {name: (tuple(t.shape), "F32", t.numpy().tobytes()) for name, t in TENSORS.items()}


def test_names_and_suffixes_are_unique() -> None:
    """No two readers have a name or a suffix in common."""
    names = [reader.name for reader in READERS]
    suffixes = [suffix for reader in READERS for suffix in reader.suffixes]
    assert len(set(names)) == len(names)
    assert len(set(suffixes)) == len(suffixes)
    assert set(names) == set(EXAMPLES)


@EVERY
def test_suffixes(reader: Reader) -> None:
    """At least one suffix, with its dot and in lower case."""
    assert reader.suffixes
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in reader.suffixes)


@EVERY
def test_recognised_by_bytes(reader: Reader, tmp_path: Path) -> None:
    """Under any name, also with the suffix of another format; other readers do not claim it."""
    for name in ("noname", *(suffix for other in READERS for suffix in other.suffixes)):
        assert sniff(write(tmp_path / f"x{name}", example(reader))) is reader
    claims = [other.name for other in READERS if other.begins(example(reader)[:HEAD])]
    assert claims == [reader.name]
    assert not reader.begins(b"")


@EVERY
def test_round_trip(reader: Reader, tmp_path: Path) -> None:
    """Names, shapes, types and bytes are those that were written."""
    path = write(tmp_path / "x", example(reader))
    checkpoint = reader.read(path, Opening())
    assert content(checkpoint) == EXPECTED
    assert [file for file, _, _ in checkpoint.files] == [path]
    assert content(open_checkpoint(path)) == EXPECTED


@EVERY
def test_folder_with_one_file(reader: Reader, tmp_path: Path) -> None:
    """A folder with one file of the format is opened, whichever suffix and case it has."""
    for suffix in reader.suffixes:
        for name in (f"x{suffix}", f"y{suffix.upper()}"):
            folder = tmp_path / name
            write(folder / name, example(reader))
            checkpoint = open_checkpoint(folder)
            assert content(checkpoint) == EXPECTED
            assert checkpoint.notes[0] == f"read {name}"


@EVERY
def test_folder_with_two_files(reader: Reader, tmp_path: Path) -> None:
    """Two files of a suffix are not a model."""
    for name in "ab":
        write(tmp_path / f"{name}{reader.suffixes[0]}", example(reader))
    with pytest.raises(CheckpointError, match="expected one model in the folder; found 2"):
        open_checkpoint(tmp_path)


@EVERY
def test_cut_off_anywhere(reader: Reader, tmp_path: Path) -> None:
    """A file that ends early is refused, wherever it ends."""
    whole = example(reader)
    for length in range(len(whole)):
        path = write(tmp_path / f"x{reader.suffixes[0]}", whole[:length])
        with pytest.raises(CheckpointError):
            open_checkpoint(path)


@EVERY
def test_named_in_messages(reader: Reader, tmp_path: Path) -> None:
    """The refusal of another file lists the format."""
    path = write(tmp_path / "x", b"hello, world")
    with pytest.raises(CheckpointError, match=rf"expected a checkpoint \(.*\b{reader.name}\b.*\)"):
        open_checkpoint(path)
