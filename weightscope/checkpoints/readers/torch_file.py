"""A file written by torch.save, zip or legacy, as lazy tensors; torch itself is never imported.

The pickle inside goes through unpickler.py, which can run nothing; here its tensors get their places in the file,
tensors that are one and the same become aliases, and other pickles are named by what they ask for.
"""

from __future__ import annotations

from dataclasses import replace

from ...dtypes import DTYPES
from ...errors import CheckpointError
from ...escape import shown
from ...notes import Note
from .. import limits
from ..checkpoint import Checkpoint
from ..entry import Stored
from .nested import choose
from .pickle_scan import asks, wanted
from .raw_file import RawFile, opened
from .torch_legacy import legacy, read_legacy
from .torch_values import Found
from .torch_zip import read_zip
from .unpickler import Loaded

OVERLAP = Note("overlapping", "overlaps or interleaves with another tensor")


def read(path: str, root: str | None = None) -> Checkpoint:
    """Open a torch file; `root` is the dotted path of the dict of tensors to take (default: the largest)."""
    raw = opened(path)
    loaded = _loaded(raw)
    choice = choose(loaded.tree, root)
    kept, aliases = _untied(
        [_stored(raw, loaded, *named) for named in choice.model + choice.others]
    )
    kept, shared = _overlaps(kept)
    return Checkpoint(
        source=path,
        tensors=tuple(kept),
        aliases=aliases,
        optimizer=frozenset(name for name, _ in choice.others if name not in aliases),
        files=((path, raw.size, raw.identity),),
        notes=choice.notes,
        flags=loaded.flags + choice.flags + shared,
    )


def _loaded(raw: RawFile) -> Loaded:
    """By the first bytes, whatever the suffix."""
    head = raw.at(0, min(raw.size, 512))
    if head[:4] == b"PK\x03\x04":
        return read_zip(raw)
    if legacy(head):
        return read_legacy(raw)
    raise _stranger(raw, head)


def _stranger(raw: RawFile, head: bytes) -> CheckpointError:
    """What a file is that torch.save did not write in a format that is read here."""
    names = wanted(raw.at(0, min(raw.size, limits.HEADER)))
    if names:
        return asks(names)
    return CheckpointError(
        "expected a torch file (zip or legacy)",
        f"found one that begins with {shown(head[:8])}",
        "check that the download is complete",
    )


def _stored(raw: RawFile, loaded: Loaded, name: str, found: Found) -> Stored:
    """The tensor at its absolute place in the file."""
    at = 0
    if found.storage is not None:
        at = (
            loaded.starts[found.storage.key] + found.storage.start + found.offset * found.kind.width
        )
    return Stored(
        name,
        found.dims,
        found.kind.dtype,
        raw.path,
        at,
        found.strides,
        loaded.swapped,
        found.negated,
        notes=found.notes,
        measurable=found.measurable,
        coded=found.coded,
        weight=name if found.coded else "",
    )


def _untied(tensors: list[Stored]) -> tuple[list[Stored], dict[str, str]]:
    """(tensors, aliases): what lies at the same place in the same form is one tensor, under its first name.

    The form is a text, since numbers of a file may be chosen so that their hashes agree.
    """
    first: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for tensor in tensors:
        if tensor.measurable and tensor.params:
            form = f"{tensor.offset} {tensor.dims} {tensor.dtype} {tensor.strides} {tensor.negated}"
            name = first.setdefault(form, tensor.name)
            if name != tensor.name:
                aliases[tensor.name] = name
    return [tensor for tensor in tensors if tensor.name not in aliases], aliases


def _overlaps(tensors: list[Stored]) -> tuple[list[Stored], tuple[str, ...]]:
    """The tensors, those that share some of their bytes with another noted, and the flag that says so."""
    runs = sorted(
        (t.offset, t.offset + _length(t), t.name) for t in tensors if t.measurable and t.params
    )
    shared: set[str] = set()
    end, last = 0, ""
    for start, stop, name in runs:
        if start < end:
            shared |= {name, last}
        if stop > end:
            end, last = stop, name
    if not shared:
        return tensors, ()
    noted = [replace(t, notes=(*t.notes, OVERLAP)) if t.name in shared else t for t in tensors]
    return noted, (
        f"{len(shared)} tensors overlap or interleave: {', '.join(map(shown, sorted(shared)[:4]))}",
    )


def _length(tensor: Stored) -> int:
    """Bytes from the first to the last element of a view."""
    run = 1 + sum((d - 1) * s for d, s in zip(tensor.matrix, tensor.steps, strict=True))
    return -(-run * DTYPES[tensor.dtype].bits // 8)
