"""Bytes of a torch file that belong to no tensor: torch.save writes the whole storage of a view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..entry import Stored
from .torch_values import Found

LEAST = 1 << 16  # bytes: a file without them is small whatever it holds


def unused_note(size: int, found: Iterable[Found], tensors: Sequence[Stored]) -> tuple[str, ...]:
    """A note where more than half of the file are storages of which no tensor uses the bytes.

    `size` is that of the file, `tensors` have no aliases. Bytes that two tensors share count twice,
    so that the note never claims too much.
    """
    storages: dict[tuple[str, int], int] = {}
    for one in found:
        if one.storage is not None:
            storages[one.storage.key, one.storage.start] = one.storage.nbytes
    stored = sum(storages.values())
    used = sum(tensor.nbytes for tensor in tensors)
    unused = stored - used
    if unused < LEAST or 2 * unused <= size:
        return ()
    return (
        f"{unused:,} of {size:,} bytes belong to no tensor: "
        "the tensors are views of larger storages, torch.save of their clones is smaller",
    )
