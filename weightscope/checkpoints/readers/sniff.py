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
from .other_formats import OPENVINO, by_bytes, by_shape, by_text
from .reader import HEAD, Reader
from .torch_zip import starts_with_array

_LFS = b"version https://git-lfs.github.com/spec/"
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
        "check that the download is complete and that this is the model's file: its format may be "
        "none that is read",
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
    if starts_with_array(head):
        _refuse(
            "a numpy archive (.npz)",
            "load it and pass a dict of tensors, or save it as safetensors",
        )
    name = os.path.basename(path)
    other = by_bytes(head) or by_text(head, name) or by_shape(head, name)
    if other is None and _is_beside_openvino(path, head):
        other = OPENVINO
    if other is not None:
        _refuse(other.name, other.advice)
    # the format has no magic: seven numbers may agree by chance under another suffix
    if path.endswith(".bin") and _is_llama2c(head, size):
        _refuse("a llama2.c checkpoint", "this version does not read it: convert it to safetensors")


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


def _is_beside_openvino(path: str, head: bytes) -> bool:
    """Whether the file NAME.bin has a model NAME.xml of OpenVINO beside it."""
    stem, suffix = os.path.splitext(path)
    model = f"{stem}.xml"
    if not head or suffix != ".bin" or not os.path.isfile(model):
        return False
    size, _ = files.identity(model)
    other = by_text(files.read_bytes(model, 0, min(size, HEAD)), os.path.basename(model))
    return other is not None and other.advice == OPENVINO.advice


def _described(head: bytes) -> str:
    if not head:
        return "an empty file"
    return f"a file that begins with {head[:8].hex(' ')}"
