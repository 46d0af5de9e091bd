"""A sharded checkpoint: the index names a shard for each tensor, the shards are read as one.

The names in an index are of unknown origin and are checked before any shard is opened. Where index
and shards disagree the shards count, and a flag reports it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...errors import CheckpointError
from ...escape import LISTED, listed, quoted, shown
from ...order import natural
from .. import files, limits, strict_json
from ..checkpoint import Checkpoint
from ..config import read_config
from .inside import FORGED, listing, safe_name
from .members import SUFFIXES
from .numbered import PART, Numbered, numbered_sets, read_numbered
from .safetensors_header import doubled
from .shards import MISSING, read_parts, united

if TYPE_CHECKING:
    from ..opening import Opening

_STALE = "the index may be of another version: move it away, and they are read as one model"


@dataclass(frozen=True)
class Index:
    """The content of an index file."""

    weights: Mapping[str, str]  # tensor -> shard
    total: object  # total_size as written, None without one
    flags: tuple[str, ...]


def read_index(path: str, opening: Opening) -> Checkpoint:
    """The model whose shards an index names; raises CheckpointError.

    With --salvage a complete set of numbered shards takes the place of an index that cannot be
    read, or that names only shards which are not there.
    """
    folder = os.path.dirname(path)
    try:
        index = _index(path)
    except CheckpointError as fault:
        return _without_index(folder, opening, fault)
    shards = sorted(set(index.weights.values()), key=natural)
    # all names are checked before the first shard is opened
    for shard in shards:
        safe_name(shard)
    absent = [shard for shard in shards if not os.path.lexists(os.path.join(folder, shard))]
    missing: tuple[str, ...] = ()
    if absent:
        refusal = _absent(folder, shards, absent)
        if len(absent) == len(shards):
            return _without_index(folder, opening, refusal)
        if not opening.salvage:
            raise refusal
        missing = (_summary(shards, absent),)
    names = set(absent)
    present = [shard for shard in shards if shard not in names]
    parts, unread = read_parts(folder, present, opening)
    config, config_flags = read_config(folder, opening.follow_symlinks)
    whole = united(parts, index.weights)
    flags = (
        *index.flags,
        *whole.flags,
        *_numbering(folder, shards),
        *_disagreements(parts, index),
        *config_flags,
    )
    return replace(
        whole,
        source=path,
        config=config,
        flags=flags,
        missing=(*missing, *unread, *whole.missing),
    )


def _index(path: str) -> Index:
    """The parsed and checked index file."""
    name = os.path.basename(path)
    size, _ = files.identity(path)
    if size > limits.INDEX:
        raise CheckpointError(
            f"{name}: expected at most {limits.INDEX} bytes", f"found {size}", FORGED
        )
    value = strict_json.parse(files.read_bytes(path, 0, size), name, tensor=b'":')
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


def _without_index(folder: str, opening: Opening, fault: CheckpointError) -> Checkpoint:
    """The one complete set of shards beside an index of no use; raises its fault otherwise."""
    complete = _complete_sets(folder)
    if not opening.salvage or len(complete) != 1:
        raise fault
    whole = read_numbered(folder, complete[0], opening)
    note = f"read {complete[0].label}"
    reason = f"index not used: {fault}"
    return replace(whole, notes=(note, *whole.notes), missing=(reason, *whole.missing))


def _summary(shards: Sequence[str], absent: Sequence[str]) -> str:
    count = len(shards) - len(absent)
    return f"{count} of {len(shards)} shards; missing {listed(absent)}"


def _absent(folder: str, shards: Sequence[str], absent: Sequence[str]) -> CheckpointError:
    """The refusal of an index whose shards are not there; complete sets beside it are named."""
    found = f"found {_summary(shards, absent)}"
    advice = MISSING
    complete = _complete_sets(folder)
    if complete:
        names = [name for numbered in complete for name in numbered.names]
        found += f"; the folder holds {len(names)} others, a complete set: {listed(names)}"
        advice = _STALE
    return CheckpointError("expected every shard of the index", found, advice)


def _complete_sets(folder: str) -> list[Numbered]:
    """The complete sets of numbered shards in the folder of an index."""
    candidates = [name for name in listing(folder or ".") if name.lower().endswith(SUFFIXES)]
    sets, _ = numbered_sets(candidates)
    return [numbered for numbered in sets if not numbered.lack]


def _numbering(folder: str, shards: Sequence[str]) -> Iterator[str]:
    """Gaps in `-00001-of-00030`, and shards on disk that the index does not name."""
    matches = [PART.fullmatch(shard) for shard in shards]
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
        if PART.fullmatch(name) and name not in names and name.endswith(suffix)
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
