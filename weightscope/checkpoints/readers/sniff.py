"""What a file is, by its first bytes; what is no checkpoint is named, with what to do about it.

The commonest damage is a file that never was a checkpoint: a git-LFS pointer, an error page saved under a model's
name, an archive. The suffix only decides where the bytes do not.
"""

from __future__ import annotations

import os
import re
import struct

from ...errors import CheckpointError
from .. import files, limits

HEAD = 512  # bytes looked at: a tar's magic stands at 257
TORCH = (".pt", ".pth", ".bin", ".ckpt", ".th", ".pkl")

_UNPACK = "unpack it and name the checkpoint inside"
_LATER = "this version does not read it: convert it to safetensors"
_MAGICS = (
    (b"GGUF", "a GGUF file", _LATER),
    (b"lmgg", "a legacy ggml file", _LATER),
    (b"fmgg", "a legacy ggml file (ggmf)", _LATER),
    (b"tjgg", "a legacy ggml file (ggjt)", _LATER),
    (b"algg", "a legacy ggml adapter (ggla)", _LATER),
    (b"24ka", "a llama2.c checkpoint", _LATER),
    (
        b"\x93NUMPY",
        "a numpy array (.npy)",
        "load it and pass a dict of tensors, or save it as safetensors",
    ),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras)", _LATER),
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


def sniff(path: str) -> str:
    """`safetensors` or `torch`; raises CheckpointError that names what the file is instead."""
    size, _ = files.identity(path)
    head = files.read_bytes(path, 0, min(size, HEAD))
    _named(os.path.basename(path))
    suffix = os.path.splitext(path)[1].lower()
    if _header(head):
        return "safetensors"
    if head.startswith(b"PK\x03\x04") and not _numpy_zip(head):
        return "torch"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "torch"
    _strangers(path, head, size)
    if suffix == ".safetensors":
        return "safetensors"
    if suffix in TORCH and head:
        return "torch"
    raise CheckpointError(
        "expected a checkpoint (safetensors or torch)",
        f"found {_begins(head)}",
        "check that the download is complete and that this is the model's file",
    )


def _header(head: bytes) -> bool:
    """Whether the file begins like safetensors: a length within the limit, then a brace, maybe after blanks."""
    return (
        int.from_bytes(head[:8], "little") <= limits.HEADER
        and head[8:].lstrip(b" \t\r\n")[:1] == b"{"
    )


def _named(name: str) -> None:
    """Files of a sharded training run are known by name: their bytes are ordinary pickles and zips."""
    if name == ".metadata" or name.endswith(".distcp"):
        raise CheckpointError(
            "expected a checkpoint", "found a part of a torch distributed checkpoint", _RESHARD
        )
    if name.endswith("_optim_states.pt"):
        raise CheckpointError(
            "expected a checkpoint",
            "found DeepSpeed optimizer states",
            "convert the run: python zero_to_fp32.py FOLDER model",
        )


def _strangers(path: str, head: bytes, size: int) -> None:
    """Refuse, by name, what is known and is not read here."""
    if head.startswith(_LFS):
        raise CheckpointError(
            "expected a checkpoint",
            f"found a git-LFS pointer ({_pointer(head)})",
            "run git lfs pull",
        )
    for magic, what, advice in _MAGICS:
        if head.startswith(magic):
            raise CheckpointError("expected a checkpoint", f"found {what}", advice)
    if head[257:262] == b"ustar":
        raise CheckpointError("expected a checkpoint", "found a tar archive", _UNPACK)
    if _numpy_zip(head):
        raise CheckpointError(
            "expected a checkpoint",
            "found a numpy archive (.npz)",
            "load it and pass a dict of tensors, or save it as safetensors",
        )
    for pattern, what in _PAGES:
        if pattern.match(head):
            raise CheckpointError(
                "expected a checkpoint",
                f"found {what}: {_text(head)!r}",
                "the download failed and saved this instead: download the file again",
            )
    if path.endswith(".bin") and _llama2c(head, size):
        raise CheckpointError("expected a checkpoint", "found a llama2.c checkpoint", _LATER)


def _pointer(head: bytes) -> str:
    """sha256 and size as a git-LFS pointer gives them."""
    oid, size = re.search(rb"oid sha256:([0-9a-f]{64})", head), re.search(rb"size (\d{1,20})", head)
    return (
        f"sha256 {oid[1].decode() if oid else 'not given'}, "
        f"size {size[1].decode() if size else 'not given'}"
    )


def _numpy_zip(head: bytes) -> bool:
    """Whether the first member of a zip is a numpy array."""
    if not head.startswith(b"PK\x03\x04") or len(head) < 30:
        return False
    member: bytes = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return member.endswith(b".npy")


def _llama2c(head: bytes, size: int) -> bool:
    """Whether seven int32 read as a small Llama: width, hidden, layers, heads, kv heads, +-vocabulary, context."""
    if len(head) < 28:
        return False
    dim, hidden, layers, heads, kv, vocab, context = struct.unpack("<7i", head[:28])
    return bool(
        0 < dim < 1 << 16
        and 0 < hidden < 1 << 18
        and 0 < layers < 1000
        and 0 < kv <= heads <= dim
        and dim % heads == 0
        and 0 < abs(vocab) < 1 << 20
        and 0 < context < 1 << 22
        and size >= 4 * dim * abs(vocab)
    )


def _text(head: bytes) -> str:
    return head[:60].decode("utf-8", "replace").strip()


def _begins(head: bytes) -> str:
    return f"a file that begins with {head[:8].hex(' ')}" if head else "an empty file"
