"""A folder holds one model in one of several forms: one is chosen by a fixed order, and the choice is said.

Order: model.safetensors, its index, any other safetensors index, adapter_model.*, pytorch_model.bin, its index, any
other index, then the one checkpoint file there is. Forms are never united. Names in an index are checked before
anything is opened: they come from strangers.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn, TypeVar

from ...errors import CheckpointError
from ...escape import LISTED, escaped, listed, quoted, shown
from ...order import natural
from .. import files, limits, strict_json
from ..checkpoint import Checkpoint
from ..config import read_config
from ..entry import Stored
from . import read_file
from .safetensors import doubled
from .sniff import TORCH

if TYPE_CHECKING:
    from ..opening import Opening

T = TypeVar("T")

_FIRST = (
    r"model\.safetensors",
    r"model\.safetensors\.index\.json",
    r".*\.safetensors\.index\.json",
    r"adapter_model\.safetensors",
    r"adapter_model\.bin",
    r"pytorch_model\.bin",
    r"pytorch_model\.bin\.index\.json",
    r".*\.index\.json",
)
_SUFFIXES = (".safetensors", *TORCH)
_PART = re.compile(r"(.*-)(\d{1,9})(-of-)(\d{1,9})(\..*)")
_NOT_MODELS = re.compile(
    r"(training_args|optimizer|scheduler|scaler|rng_state.*|random_states.*)\.(bin|pt|pth|pkl)"
)
_FORGED = "the index is damaged or made to mislead: get it again from its source"


def read(path: str, opening: Opening) -> Checkpoint:
    """The model of a folder, with its config; raises CheckpointError."""
    names = _listing(path)
    chosen = _choice(path, names)
    inside = os.path.join(path, chosen)
    if chosen.endswith(".index.json"):
        return _with_others(read_index(inside, opening), chosen, names)
    within(path, chosen, opening.follow_symlinks)
    config, odd = read_config(path)
    checkpoint = read_file(inside, opening)
    whole = replace(checkpoint, config=config, flags=(*checkpoint.flags, *odd))
    return _with_others(whole, chosen, names)


def read_index(path: str, opening: Opening) -> Checkpoint:
    """The model whose shards an index names; raises CheckpointError."""
    folder, name = os.path.dirname(path), os.path.basename(path)
    weights, total, odd = _index(path, name)
    shards = sorted(set(weights.values()), key=natural)
    for shard in shards:
        safe_name(shard)
    present, missing = _present(folder, shards, opening.salvage)
    parts = {shard: _shard(folder, shard, opening) for shard in present}
    config, broken = read_config(folder)
    united = _united(parts, weights)
    flags = (
        *odd,
        *united.flags,
        *_sequence(folder, shards),
        *_against(parts, weights, total),
        *broken,
    )
    return replace(
        united, source=path, config=config, flags=flags, missing=(*missing, *united.missing)
    )


def within(folder: str, name: str, follow: bool) -> None:
    """Refuse a file whose symbolic links lead out of the folder, save into the same Hub cache."""
    target = os.path.realpath(os.path.join(folder, name))
    home = os.path.realpath(folder)
    roots = [home, *_blobs(home)]
    if not follow and not any(os.path.commonpath((root, target)) == root for root in roots):
        raise CheckpointError(
            "expected files inside the folder",
            f"{escaped(name)} leads to {escaped(target)}",
            "--follow-symlinks allows it",
        )


def safe_name(shard: str) -> None:
    """Refuse what is not a plain relative path below the index's folder.

    >>> safe_name("model-00001-of-00002.safetensors")
    """
    parts = re.split(r"[/\\]", shard)
    bad = (
        not 0 < len(shard) <= limits.NAME
        or "\0" in shard
        or "\\" in shard
        or "://" in shard
        or re.match(r"[A-Za-z]:", shard)
        or any(part in ("", ".", "..") for part in parts)
    )
    if bad:
        raise CheckpointError(
            "expected shard names below the index's folder", f"found {quoted(shard)}", _FORGED
        )


def _listing(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path), key=natural)
    except OSError as fault:
        raise files.unopened(path, fault) from None


def _choice(path: str, names: Sequence[str]) -> str:
    """The name that the documented order picks; raises CheckpointError where nothing or too much is there."""
    for pattern in _FIRST:
        found = [name for name in names if re.fullmatch(pattern, name, re.DOTALL)]
        if len(found) == 1:
            return found[0]
        if found:
            _too_many(found)
    for suffix in _SUFFIXES:
        found = [n for n in names if n.lower().endswith(suffix) and not _NOT_MODELS.fullmatch(n)]
        if len(found) > 1:
            _too_many(found)
        if found:
            return found[0]
    if ".metadata" in names:
        raise CheckpointError(
            "expected a model in the folder",
            "found a torch distributed checkpoint",
            "convert it: python "
            "-m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER model.pt",
        )
    raise CheckpointError(
        "expected a model in the folder",
        f"found {listed(_seen(path, names)) or 'nothing'}",
        "name the file, or the folder that holds it",
    )


def _too_many(found: Sequence[str]) -> NoReturn:
    raise CheckpointError(
        "expected one model in the folder",
        f"found {len(found)}: {listed(found)}",
        "name the one to measure",
    )


def _seen(path: str, names: Iterable[str]) -> list[str]:
    """Names as a message shows them: folders with a slash."""
    return [name + "/" * os.path.isdir(os.path.join(path, name)) for name in names]


def _with_others(checkpoint: Checkpoint, chosen: str, names: Sequence[str]) -> Checkpoint:
    """The choice as a note where the folder held other checkpoints that were not read."""
    read = {os.path.basename(path) for path, _, _ in checkpoint.files} | {chosen}
    others = [
        n
        for n in names
        if n not in read
        and not _NOT_MODELS.fullmatch(n)
        and (n.lower().endswith((*_SUFFIXES, ".index.json", ".gguf")) or n == "original")
    ]
    said = f"read {escaped(chosen)}" + (
        f"; also there and not read: {listed(others)}" if others else ""
    )
    return replace(checkpoint, notes=(said, *checkpoint.notes))


def _index(path: str, name: str) -> tuple[dict[str, str], object, tuple[str, ...]]:
    """(tensor -> shard, total_size, flags) of an index."""
    size, _ = files.identity(path)
    if size > limits.INDEX:
        raise CheckpointError(
            f"{name}: expected at most {limits.INDEX} bytes", f"found {size}", _FORGED
        )
    value = strict_json.parse(files.read_bytes(path, 0, size), name)
    fields = dict(value) if isinstance(value, tuple) else {}
    weights, metadata = fields.get("weight_map"), fields.get("metadata")
    if not isinstance(weights, tuple) or not weights:
        raise CheckpointError(
            f"{name}: expected an object weight_map of names and shards", "found none", _FORGED
        )
    if wrong := [tensor for tensor, shard in weights if not isinstance(shard, str)]:
        raise CheckpointError(
            f"{name}: expected every shard to be a string",
            f"found another type under {quoted(wrong[0])}",
            _FORGED,
        )
    twice = doubled(tensor for tensor, _ in weights)
    flags = (f"{name} names {len(twice)} tensors twice: {listed(twice)}",) if twice else ()
    return (
        dict(weights),
        dict(metadata).get("total_size") if isinstance(metadata, tuple) else None,
        flags,
    )


def _present(
    folder: str, shards: Sequence[str], salvage: bool
) -> tuple[list[str], tuple[str, ...]]:
    """The shards that are there; missing ones are refused, or listed under --salvage."""
    lost = [shard for shard in shards if not os.path.lexists(os.path.join(folder, shard))]
    if not lost:
        return list(shards), ()
    found = f"{len(shards) - len(lost)} of {len(shards)} shards; missing {listed(lost)}"
    if not salvage or len(lost) == len(shards):
        raise CheckpointError(
            "expected every shard of the index",
            f"found {found}",
            "download the missing ones; --salvage measures the rest",
        )
    gone = set(lost)
    return [shard for shard in shards if shard not in gone], (found,)


def _shard(folder: str, shard: str, opening: Opening) -> Checkpoint:
    """One shard, its refusals and flags under its name."""
    within(folder, shard, opening.follow_symlinks)
    try:
        part = read_file(os.path.join(folder, shard), opening)
    except CheckpointError as fault:
        raise CheckpointError(
            f"shard {escaped(shard)}: {fault.expected}", fault.found, fault.advice
        ) from None
    said = {
        field: tuple(f"{escaped(shard)}: {line}" for line in getattr(part, field))
        for field in ("notes", "flags", "missing")
    }
    return replace(part, **said)  # type: ignore[arg-type]  # three fields of one type, by name


def _united(parts: Mapping[str, Checkpoint], weights: Mapping[str, str]) -> Checkpoint:
    """The shards as one checkpoint; of a tensor in two shards the one that the index names counts."""
    places: dict[str, list[tuple[str, Stored]]] = {}
    for shard, part in parts.items():
        for tensor in part.tensors:
            places.setdefault(tensor.name, []).append((shard, tensor))
    kept = [
        next((t for shard, t in found if shard == weights.get(name)), found[0][1])
        for name, found in places.items()
    ]
    metadata: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for part in reversed(list(parts.values())):  # of doubled keys the first shard's counts
        metadata |= part.metadata
        aliases |= part.aliases
    return Checkpoint(
        "",
        tuple(kept),
        metadata=metadata,
        aliases=aliases,
        optimizer=frozenset(name for part in parts.values() for name in part.optimizer),
        files=_all(part.files for part in parts.values()),
        notes=_all(part.notes for part in parts.values()),
        flags=(
            *_all(part.flags for part in parts.values()),
            *(_twice(name, found) for name, found in places.items() if len(found) > 1),
        ),
        missing=_all(part.missing for part in parts.values()),
    )


def _all(parts: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(line for part in parts for line in part)


def _twice(name: str, found: Sequence[tuple[str, Stored]]) -> str:
    """One tensor in several shards: whether the bytes agree."""
    same = len({(t.dtype, t.dims, digest(t)) for _, t in found}) == 1
    return (
        f"{escaped(name)} stands in {listed([shard for shard, _ in found])}: "
        f"{'identical' if same else 'different'} bytes"
    )


def digest(tensor: Stored) -> bytes:
    """BLAKE2 of a tensor's bytes in its file, a mebibyte at a time."""
    code, at, end = hashlib.blake2b(), tensor.offset, tensor.offset + tensor.nbytes
    while at < end:
        code.update(files.read_bytes(tensor.file, at, min(1 << 20, end - at)))
        at += 1 << 20
    return code.digest()


def _sequence(folder: str, shards: Sequence[str]) -> Iterator[str]:
    """Gaps in `-00001-of-00030`, and shards on disk that the index does not know."""
    parts = [match for shard in shards if (match := _PART.fullmatch(shard))]
    totals = {int(match[4]) for match in parts}
    numbers = {int(match[2]) for match in parts}
    for total in sorted(totals)[:LISTED]:
        if len(numbers) != total:
            yield f"shard names say {total} shards, the index names {len(numbers)}: the index may be stale"
    named = set(shards)
    strays = [
        name
        for name in _listing(folder or ".")
        if _PART.fullmatch(name) and name not in named and parts and name.endswith(parts[0][5])
    ]
    if strays:
        yield f"{len(strays)} shards in the folder are not in the index: {listed(strays)}"


def _against(
    parts: Mapping[str, Checkpoint], weights: Mapping[str, str], total: object
) -> Iterator[str]:
    """Where the index and the shards disagree."""
    held = {(t.name, shard) for shard, part in parts.items() for t in part.tensors}
    held |= {(alias, shard) for shard, part in parts.items() for alias in part.aliases}
    absent = [
        name for name, shard in weights.items() if shard in parts and (name, shard) not in held
    ]
    extra = sorted({name for name, _ in held} - set(weights), key=natural)
    if absent:
        yield f"the index names {len(absent)} tensors that their shard does not hold: {listed(absent)}"
    if extra:
        yield f"the shards hold {len(extra)} tensors that the index does not name: {listed(extra)}"
    size = sum({t.name: t.nbytes for part in parts.values() for t in part.tensors}.values())
    if isinstance(total, str) or (
        total is not None and len(parts) == len(set(weights.values())) and total != size
    ):
        stated = total[:40] if isinstance(total, str) else shown(total)
        yield f"the index says total_size {stated!r}, the tensors take {size} bytes"


def _blobs(home: str) -> list[str]:
    """The blob store of the Hub cache that a snapshot folder belongs to."""
    before, found, _ = home.rpartition(os.sep + "snapshots" + os.sep)
    return [os.path.join(before, "blobs")] if found else []
