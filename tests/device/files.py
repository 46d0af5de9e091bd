"""Tensors as the stored bytes of one file, from which the engine copies to a device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from tests.engine.conftest import stored
from weightscope.checkpoints import Stored


def in_files(folder: Path, tensors: Sequence[torch.Tensor]) -> list[Stored]:
    """The entries of the file, in the order of the tensors."""
    parts, entries, at = [], [], 0
    file = str(folder / "f")
    for entry in stored(tensors):
        raw = entry.tensor
        if raw.ndim == 2 and entry.strides[0] < entry.strides[1]:
            raw = raw.mT
        data = raw.contiguous().view(torch.uint8).numpy().tobytes() if raw.numel() else b""
        entries.append(Stored(entry.name, entry.dims, entry.dtype, file, at, entry.strides))
        parts.append(data)
        at += len(data)
    Path(file).write_bytes(b"".join(parts))
    return entries
