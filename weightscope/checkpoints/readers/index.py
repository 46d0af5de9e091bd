"""A sharded checkpoint: the index names a shard for each tensor, the shards are read as one.

The names in an index are of unknown origin and are checked before any shard is opened. Where index
and shards disagree the shards count, and a flag reports it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ...errors import CheckpointError
from ...escape import LISTED, escaped, listed, quoted, shown
from ...order import natural
from .. import files, limits, strict_json
from ..checkpoint import Checkpoint
from ..config import read_config
from ..entry import Stored
from . import read_file
from .inside import FORGED, listing, safe_name, within
from .safetensors_header import doubled

if TYPE_CHECKING:
    from ..opening import Opening

T = TypeVar("T")

_PART = re.compile(r"(.*-)(?P<number>\d{1,9})(-of-)(?P<total>\d{1,9})(?P<suffix>\..*)")
_CHUNK = 1 << 20  # bytes that are hashed at a time


@dataclass(frozen=True)
class Index:
    """The content of an index file."""

    weights: Mapping[str, str]  # tensor -> shard
    total: object  # total_size as written, None without one
    flags: tuple[str, ...]


def read_index(path: str, opening: Opening) -> Checkpoint:
    """The model whose shards an index names; raises CheckpointError."""
    folder = os.path.dirname(path)
    index = _index(path)
    shards = sorted(set(index.weights.values()), key=natural)
    # all names are checked before the first shard is opened
    for shard in shards:
        safe_name(shard)
    present, missing = _present(folder, shards, opening.salvage)
    parts = {shard: _shard(folder, shard, opening) for shard in present}
    config, config_flags = read_config(folder)
    whole = _united(parts, index.weights)
    flags = (
        *index.flags,
        *whole.flags,
        *_numbering(folder, shards),
        *_disagreements(parts, index),
        *config_flags,
    )
    return replace(
        whole, source=path, config=config, flags=flags, missing=(*missing, *whole.missing)
    )


def _index(path: str) -> Index:
    """The parsed and checked index file."""
    name = os.path.basename(path)
    size, _ = files.identity(path)
    if size > limits.INDEX:
        raise CheckpointError(
            f"{name}: expected at most {limits.INDEX} bytes", f"found {size}", FORGED
        )
    value = strict_json.parse(files.read_bytes(path, 0, size), name)
    fields = {}
    if isinstance(value, tuple):
        fields = dict(value)
    weights = fields.get("weight_map")
    if not isinstance(weights, tuple) or not weights:
        raise CheckpointError(
            f"{name}: expected an object weight_map of names and shards", "found none", FORGED
        )
    for tensor, shard in weights:
        if not isinstance(shard, str):
            raise CheckpointError(
                f"{name}: expected every shard to be a string",
                f"found another type under {quoted(tensor)}",
                FORGED,
            )
    duplicates = doubled(tensor for tensor, _ in weights)
    flags: tuple[str, ...] = ()
    if duplicates:
        flags = (f"{name} names {len(duplicates)} tensors twice: {listed(duplicates)}",)
    metadata = fields.get("metadata")
    total = None
    if isinstance(metadata, tuple):
        total = dict(metadata).get("total_size")
    return Index(dict(weights), total, flags)


def _present(
    folder: str, shards: Sequence[str], salvage: bool
) -> tuple[list[str], tuple[str, ...]]:
    """(shards that exist, summary of a lack); missing shards are refused without --salvage."""
    missing = [shard for shard in shards if not os.path.lexists(os.path.join(folder, shard))]
    if not missing:
        return list(shards), ()
    count = len(shards) - len(missing)
    summary = f"{count} of {len(shards)} shards; missing {listed(missing)}"
    if not salvage or count == 0:  # without any shard there is nothing to measure
        raise CheckpointError(
            "expected every shard of the index",
            f"found {summary}",
            "download the missing ones; --salvage measures the rest",
        )
    absent = set(missing)
    return [shard for shard in shards if shard not in absent], (summary,)


def _shard(folder: str, shard: str, opening: Opening) -> Checkpoint:
    """One shard; its name precedes its notes, flags and refusals."""
    within(folder, shard, opening.follow_symlinks)
    label = escaped(shard)
    try:
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


def _united(parts: Mapping[str, Checkpoint], weights: Mapping[str, str]) -> Checkpoint:
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


def _numbering(folder: str, shards: Sequence[str]) -> Iterator[str]:
    """Gaps in `-00001-of-00030`, and shards on disk that the index does not name."""
    matches = [_PART.fullmatch(shard) for shard in shards]
    parts = [match for match in matches if match]
    if not parts:
        return
    totals = {int(match["total"]) for match in parts}
    numbers = {int(match["number"]) for match in parts}
    for total in sorted(totals)[:LISTED]:
        if len(numbers) != total:
            yield (
                f"shard file names count {total} shards, the index names {len(numbers)}: "
                "the index may be stale"
            )
    # only shards of the same suffix: a folder may hold the model in two formats
    names = set(shards)
    suffix = parts[0]["suffix"]
    strays = [
        name
        for name in listing(folder or ".")
        if _PART.fullmatch(name) and name not in names and name.endswith(suffix)
    ]
    if strays:
        yield f"{len(strays)} shards in the folder are not in the index: {listed(strays)}"


def _disagreements(parts: Mapping[str, Checkpoint], index: Index) -> Iterator[str]:
    """The flags of tensors that only the index or only a shard has, and of a wrong total_size."""
    stored: set[tuple[str, str]] = set()  # (tensor, shard)
    sizes: dict[str, int] = {}
    for shard, part in parts.items():
        stored.update((tensor.name, shard) for tensor in part.tensors)
        stored.update((alias, shard) for alias in part.aliases)
        sizes.update((tensor.name, tensor.nbytes) for tensor in part.tensors)
    absent = [
        name
        for name, shard in index.weights.items()
        if shard in parts and (name, shard) not in stored
    ]
    extra = sorted({name for name, _ in stored} - set(index.weights), key=natural)
    if absent:
        yield (
            f"the index names {len(absent)} tensors that their shard does not hold: "
            f"{listed(absent)}"
        )
    if extra:
        yield f"the shards hold {len(extra)} tensors that the index does not name: {listed(extra)}"
    yield from _total_size(parts, index, sum(sizes.values()))


def _total_size(parts: Mapping[str, Checkpoint], index: Index, size: int) -> Iterator[str]:
    """The flag of a total_size that is a string, or wrong where every shard was read."""
    total = index.total
    # salvaged shards cannot add up to the total
    is_complete = len(parts) == len(set(index.weights.values()))
    if isinstance(total, str):  # in quotes, so that its type is visible
        value = total[:40]
    elif total is not None and is_complete and total != size:
        value = shown(total)
    else:
        return
    yield f"the index states total_size {value!r}, the tensors take {size} bytes"
