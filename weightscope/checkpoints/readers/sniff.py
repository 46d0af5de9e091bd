"""The format of a file by its first bytes; a file that is no checkpoint is named, with advice.

The commonest damage is a file that never was a checkpoint: a git-LFS pointer, an error page saved
under the name of a model, an archive. The suffix decides only where the bytes do not. Formats that
are read declare their own first bytes (members.py); here are those that are refused.
"""

from __future__ import annotations

import os
import re
import struct
from typing import NoReturn

from ...errors import CheckpointError
from .. import files
from .members import READERS
from .reader import HEAD, Reader
from .torch_zip import starts_with_array

_UNPACK = "unpack it and name the checkpoint inside"
_CONVERT = "this version does not read it: convert it to safetensors"
_LOAD = "load it and pass a dict of tensors, or save it as safetensors"
_MAGICS = (
    (b"GGUF", "a GGUF file", _CONVERT),
    (b"lmgg", "a legacy ggml file", _CONVERT),
    (b"fmgg", "a legacy ggml file (ggmf)", _CONVERT),
    (b"tjgg", "a legacy ggml file (ggjt)", _CONVERT),
    (b"algg", "a legacy ggml adapter (ggla)", _CONVERT),
    (b"24ka", "a llama2.c checkpoint", _CONVERT),
    (b"\x93NUMPY", "a numpy array (.npy)", _LOAD),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras)", _CONVERT),
    (b"\x1f\x8b", "a gzip archive (.tar.gz)", _UNPACK),
    (b"\xfd7zXZ\x00", "an xz archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a rar archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", _UNPACK),
    (b"PK\x05\x06", "an empty zip archive", "get the file again"),
    (b"PAR1", "a Parquet file", "name the checkpoint that it reports on"),
)
_LFS = b"version https://git-lfs.github.com/spec/"
_PAGES = (
    (re.compile(rb"\s*<(!doctype html|html|head|body)", re.I), "an HTML page"),
    (re.compile(rb"\s*<(\?xml|[a-z])", re.I), "an XML text"),
    (re.compile(rb"\s*[{\[]\s*([\"{\[\]}]|-?\d)"), "a JSON text"),
)
_RESHARD = (
    "convert it: python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER model.pt"
)
_LLAMA2C = struct.Struct("<7i")  # width, hidden, layers, heads, kv heads, +-vocabulary, context


def sniff(path: str) -> Reader:
    """The reader of a file; raises CheckpointError that names what the file is instead."""
    size, _ = files.identity(path)
    head = files.read_bytes(path, 0, min(size, HEAD))
    # names first: these files are valid pickles and zips, and no checkpoints by themselves
    _check_name(os.path.basename(path))
    for reader in READERS:
        if reader.begins(head):
            return reader
    _refuse_other_formats(path, head, size)
    # damaged files have no known bytes: the reader of the suffix explains the damage best
    suffix = os.path.splitext(path)[1].lower()
    for reader in READERS:
        if head and suffix in reader.suffixes:
            return reader
    formats = " or ".join(reader.name for reader in READERS)
    raise CheckpointError(
        f"expected a checkpoint ({formats})",
        f"found {_described(head)}",
        "check that the download is complete and that this is the model's file",
    )


def _check_name(name: str) -> None:
    """Refuse files of sharded training runs by name: their bytes are ordinary pickles and zips."""
    if name == ".metadata" or name.endswith(".distcp"):
        _refuse("a part of a torch distributed checkpoint", _RESHARD)
    if name.endswith("_optim_states.pt"):
        _refuse(
            "DeepSpeed optimizer states", "convert the run: python zero_to_fp32.py FOLDER model"
        )


def _refuse_other_formats(path: str, head: bytes, size: int) -> None:
    """Refuse, by name, a known format that is not read."""
    if head.startswith(_LFS):
        _refuse(f"a git-LFS pointer ({_pointer(head)})", "run git lfs pull")
    for magic, name, advice in _MAGICS:
        if head.startswith(magic):
            _refuse(name, advice)
    if head[257:262] == b"ustar":
        _refuse("a tar archive", _UNPACK)
    if starts_with_array(head):
        _refuse("a numpy archive (.npz)", _LOAD)
    for pattern, name in _PAGES:
        if pattern.match(head):
            _refuse(
                f"{name}: {_text(head)!r}",
                "the download failed and saved this instead: download the file again",
            )
    # the format has no magic: seven numbers may agree by chance under another suffix
    if path.endswith(".bin") and _is_llama2c(head, size):
        _refuse("a llama2.c checkpoint", _CONVERT)


def _refuse(name: str, advice: str) -> NoReturn:
    raise CheckpointError("expected a checkpoint", f"found {name}", advice)


def _pointer(head: bytes) -> str:
    """The sha256 and the size that a git-LFS pointer states."""
    oid = re.search(rb"oid sha256:([0-9a-f]{64})", head)
    size = re.search(rb"size (\d{1,20})", head)
    return f"sha256 {_first_group(oid)}, size {_first_group(size)}"


def _first_group(match: re.Match[bytes] | None) -> str:
    return match[1].decode() if match else "not given"


def _is_llama2c(head: bytes, size: int) -> bool:
    """Whether seven int32 are the plausible settings of a small Llama that fits in the file."""
    if len(head) < _LLAMA2C.size:
        return False
    dim, hidden, layers, heads, kv, vocab, context = _LLAMA2C.unpack(head[: _LLAMA2C.size])
    return bool(
        0 < dim < 1 << 16
        and 0 < hidden < 1 << 18
        and 0 < layers < 1000
        and 0 < kv <= heads <= dim
        and dim % heads == 0
        and 0 < abs(vocab) < 1 << 20
        and 0 < context < 1 << 22
        and size >= 4 * dim * abs(vocab)  # the embedding alone
    )


def _text(head: bytes) -> str:
    return head[:60].decode("utf-8", "replace").strip()


def _described(head: bytes) -> str:
    if not head:
        return "an empty file"
    return f"a file that begins with {head[:8].hex(' ')}"
