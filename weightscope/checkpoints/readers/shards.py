"""Shards: the parts of one model in several files, read one after another and united.

An index names them (index.py), or their numbers do (numbered.py). With --salvage a shard that
cannot be read is named, whatever its fault, and the others are united.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ...errors import CheckpointError
from ...escape import escaped, listed
from .. import files
from ..checkpoint import Checkpoint
from ..entry import Stored
from . import read_file
from .inside import within

if TYPE_CHECKING:
    from ..opening import Opening

T = TypeVar("T")

MISSING = "download the missing ones; --salvage measures the rest"
_OTHERS = "--salvage measures the other shards"
_CHUNK = 1 << 20  # bytes that are hashed at a time


def read_parts(
    folder: str, shards: Sequence[str], opening: Opening
) -> tuple[dict[str, Checkpoint], tuple[str, ...]]:
    """(shards by their names, sentences about those that --salvage leaves out).

    Raises CheckpointError for a shard that cannot be read; with --salvage only where none can.
    """
    parts: dict[str, Checkpoint] = {}
    faults: list[CheckpointError] = []
    for shard in shards:
        try:
            parts[shard] = _part(folder, shard, opening)
        except CheckpointError as fault:
            if not opening.salvage:
                raise _with_salvage(fault, len(shards)) from None
            faults.append(fault)
    if faults and not parts:
        raise _none_readable(faults)
    return parts, tuple(f"not read: {fault}" for fault in faults)


def _with_salvage(fault: CheckpointError, count: int) -> CheckpointError:
    """The refusal of one of several shards, with the option that measures the others."""
    advice = fault.advice
    if count > 1 and "--salvage" not in advice:
        advice = f"{advice}; {_OTHERS}"
    return CheckpointError(fault.expected, fault.found, advice)


def _none_readable(faults: Sequence[CheckpointError]) -> CheckpointError:
    """The refusal of a model of which no shard can be read: the fault of the first."""
    first = faults[0]
    found = f"{first.found} (none of {len(faults)} shards can be read)"
    return CheckpointError(first.expected, found, first.advice)


def _part(folder: str, shard: str, opening: Opening) -> Checkpoint:
    """One shard; its name precedes its notes, flags and refusals."""
    label = escaped(shard)
    try:
        within(folder, shard, opening.follow_symlinks)
        part = read_file(os.path.join(folder, shard), opening)
    except CheckpointError as fault:
        raise CheckpointError(
            f"shard {label}: {fault.expected}", fault.found, fault.advice
        ) from None
    return replace(
        part,
        notes=_labelled(label, part.notes),
        flags=_labelled(label, part.flags),
        missing=_labelled(label, part.missing),
    )


def _labelled(label: str, sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{label}: {sentence}" for sentence in sentences)


def united(parts: Mapping[str, Checkpoint], weights: Mapping[str, str]) -> Checkpoint:
    """The shards as one checkpoint; of a tensor in two shards the index chooses the copy."""
    copies: dict[str, list[tuple[str, Stored]]] = {}
    for shard, part in parts.items():
        for tensor in part.tensors:
            copies.setdefault(tensor.name, []).append((shard, tensor))
    tensors = []
    repeated = []
    for name, stored in copies.items():
        tensors.append(_counting(stored, weights.get(name)))
        if len(stored) > 1:
            repeated.append(_comparison(name, stored))
    metadata: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for part in reversed(list(parts.values())):  # of doubled keys the first shard's counts
        metadata |= part.metadata
        aliases |= part.aliases
    return Checkpoint(
        "",
        tuple(tensors),
        metadata=metadata,
        aliases=aliases,
        optimizer=frozenset().union(*(part.optimizer for part in parts.values())),
        files=_joined(part.files for part in parts.values()),
        notes=_joined(part.notes for part in parts.values()),
        flags=(*_joined(part.flags for part in parts.values()), *repeated),
        missing=_joined(part.missing for part in parts.values()),
    )


def _counting(copies: Sequence[tuple[str, Stored]], named: str | None) -> Stored:
    """The copy in the shard that the index names, else the first."""
    for shard, tensor in copies:
        if shard == named:
            return tensor
    _, tensor = copies[0]
    return tensor


def _joined(parts: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(item for part in parts for item in part)


def _comparison(name: str, copies: Sequence[tuple[str, Stored]]) -> str:
    """The flag of one tensor in several shards: whether the bytes agree."""
    contents = {(tensor.dtype, tensor.dims, digest(tensor)) for _, tensor in copies}
    word = "identical" if len(contents) == 1 else "different"
    shards = listed([shard for shard, _ in copies])
    return f"{escaped(name)} is stored in {shards}: {word} bytes"


def digest(tensor: Stored) -> bytes:
    """BLAKE2 of a tensor's bytes in its file, a mebibyte at a time."""
    code = hashlib.blake2b()
    end = tensor.offset + tensor.nbytes
    for at in range(tensor.offset, end, _CHUNK):
        code.update(files.read_bytes(tensor.file, at, min(_CHUNK, end - at)))
    return code.digest()
