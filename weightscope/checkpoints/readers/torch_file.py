"""A file written by torch.save, zip or legacy, as lazy tensors; torch itself is never imported.

The pickle inside is interpreted by unpickler.py, which executes nothing. Here its tensors get their
offsets in the file, tensors with the same elements become aliases, and other pickles are refused
with the names that they refer to.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ...dtypes import DTYPES
from ...errors import CheckpointError
from ...escape import LONGEST, listed, shown
from ...notes import Note
from .. import limits
from ..checkpoint import Checkpoint
from ..entry import Stored, run_length
from .leaves import leaves
from .nested import choose
from .pickle_scan import advice_for, other_pickle, refusal_of, scanned
from .raw_file import RawFile, opened
from .reader import HEAD, Reader
from .torch_legacy import legacy, read_legacy
from .torch_values import Found
from .torch_zip import read_zip, starts_with_array
from .training_state import state_of_objects
from .unpickler import Loaded
from .unused import unused_note
from .zip_directory import LOCAL

if TYPE_CHECKING:
    from ..opening import Opening

PICKLE = b"\x80"  # what a pickle of protocol 2 or later begins with
# What protocols 0 and 1 begin with: a container or a global, and its slot of the memo.
TEXT_PICKLE = re.compile(
    rb"\(?[dl]p\d+\r?\n|[]}]q\x00|\(i[\w.]+\n\w+\n|c[\w.]+\r?\n[\w.]+\r?\n(?:p\d+\r?\n|\()"
)
OVERLAP = Note("overlapping", "overlaps or interleaves with another tensor")


def read(path: str, root: str | None = None, listing: bool = False) -> Checkpoint:
    """Open a torch file; `root` is the dotted path of the dict of tensors, None the largest.

    A `listing` has all tensors, whether or not one dict is the model.
    """
    raw = opened(path)
    loaded = _loaded(raw)
    _check_objects(loaded)
    choice = choose(loaded.tree, root, listing)
    named = choice.model + choice.others
    tensors, aliases = _untied([_stored(raw, loaded, name, found) for name, found in named])
    tensors, overlap_flags = _with_overlaps(tensors)
    return Checkpoint(
        source=path,
        tensors=tuple(tensors),
        aliases=aliases,
        optimizer=frozenset(name for name, _ in choice.others if name not in aliases),
        files=((path, raw.size, raw.identity),),
        notes=choice.notes + unused_note(raw.size, (found for _, found in named), tensors),
        flags=loaded.flags + loaded.unknown.flags() + choice.flags + overlap_flags,
    )


def _loaded(raw: RawFile) -> Loaded:
    """The content of a zip or a legacy file, by its first bytes whatever the suffix."""
    head = raw.at(0, min(raw.size, HEAD))  # short files have less
    if head.startswith(LOCAL):
        return read_zip(raw)
    if legacy(head):
        return read_legacy(raw)
    raise _other_file(raw, head)


def _check_objects(loaded: Loaded) -> None:
    """Refuse tensors inside objects of unknown classes, and a file that holds nothing else."""
    holders = loaded.unknown.with_tensors()
    if holders:
        raise CheckpointError(
            "expected a state dict: tensors in dicts, lists and tuples",
            "found tensors inside objects, in a pickle that refers to "
            f"{listed(holders, LONGEST)}; nothing was executed",
            advice_for(holders),
        )
    names = loaded.unknown.names
    if names and not any(True for _ in leaves(loaded.tree)):
        raise refusal_of(names, state=state_of_objects(loaded.tree))


def _other_file(raw: RawFile, head: bytes) -> CheckpointError:
    """The refusal of a file that torch.save did not write, or in neither of the two formats."""
    # a pickle of another program: its names are the best explanation
    scan = scanned(raw.at(0, min(raw.size, limits.HEADER)))
    if scan.names:
        return refusal_of(scan.names, scan)
    if head[:1] == PICKLE or scan.is_pickle:
        return other_pickle(scan)
    return CheckpointError(
        "expected a torch file (zip or legacy)",
        f"found one that begins with {shown(head[:8])}",
        "check that the download is complete and that torch.save wrote the file: its format may "
        "be none that is read",
    )


def _stored(raw: RawFile, loaded: Loaded, name: str, found: Found) -> Stored:
    """The tensor at its absolute offset in the file."""
    at = 0
    storage = found.storage
    if storage is not None:
        at = loaded.starts[storage.key] + storage.start + found.offset * found.kind.width
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
    """(tensors, aliases): names of the same elements at one offset are one tensor and its aliases.

    They are compared as text, since numbers of a file may be chosen so that their hashes agree.
    """
    first: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for tensor in tensors:
        if tensor.measurable and tensor.params:  # others have no bytes to share
            form = f"{tensor.offset} {tensor.dims} {tensor.dtype} {tensor.strides} {tensor.negated}"
            name = first.setdefault(form, tensor.name)
            if name != tensor.name:
                aliases[tensor.name] = name
    return [tensor for tensor in tensors if tensor.name not in aliases], aliases


def _with_overlaps(tensors: list[Stored]) -> tuple[list[Stored], tuple[str, ...]]:
    """(tensors, flags): a note and a flag for those that share bytes with another tensor."""
    overlapping = _overlapping(tensors)
    if not overlapping:
        return tensors, ()
    noted = []
    for tensor in tensors:
        if tensor.name in overlapping:
            tensor = replace(tensor, notes=(*tensor.notes, OVERLAP))
        noted.append(tensor)
    examples = ", ".join(shown(name) for name in sorted(overlapping)[:4])
    return noted, (f"{len(overlapping)} tensors overlap or interleave: {examples}",)


def _overlapping(tensors: list[Stored]) -> set[str]:
    """The names of tensors whose runs of bytes overlap."""
    runs = sorted(
        (t.offset, t.offset + _length(t), t.name) for t in tensors if t.measurable and t.params
    )
    names: set[str] = set()
    end = 0  # the farthest so far, and the tensor that reaches there
    last = ""
    for start, stop, name in runs:
        if start < end:
            names |= {name, last}
        if stop > end:
            end = stop
            last = name
    return names


def _length(tensor: Stored) -> int:
    """Bytes from the first to the last element of a view."""
    bits = run_length(tensor.matrix, tensor.steps) * DTYPES[tensor.dtype].bits
    return -(-bits // 8)


def _begins(head: bytes) -> bool:
    """A zip archive, except one of numpy arrays, or a pickle, which torch writes in protocol 2."""
    if head.startswith(LOCAL):
        return not starts_with_array(head)
    if head[:1] == PICKLE:
        return head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
    return TEXT_PICKLE.match(head) is not None


def _read_opened(path: str, opening: Opening) -> Checkpoint:
    return read(path, opening.root, opening.listing)


READER = Reader(
    "torch", (".pt", ".pth", ".bin", ".ckpt", ".th", ".pkl"), _begins, _read_opened, nested=True
)
