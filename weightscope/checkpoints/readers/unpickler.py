"""An interpreter of pickles that can execute nothing of what they contain.

It is no subclass of Python's unpickler: there is no import, no `__reduce__`, no `__setstate__` to
reach (operations.py). Objects of unknown classes are placeholders. The names that a refused pickle
refers to are listed by a scan that executes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import CheckpointError
from .. import limits
from .machine import Machine
from .operations import OPERATIONS
from .persistent import collector
from .pickle_scan import refusal_of, scanned
from .placeholders import RefusedNameError, Unknown, admitted
from .raw_file import RawFile, Stream
from .torch_globals import present
from .torch_values import Storage


@dataclass(frozen=True)
class Loaded:
    """The content of a torch file: a tree of inert values, and the start of each storage."""

    tree: object
    starts: Mapping[str, int] = field(default_factory=dict)
    swapped: bool = False  # big-endian
    flags: tuple[str, ...] = ()
    unknown: Unknown = field(default_factory=Unknown)


def unpickle(
    raw: RawFile,
    start: int,
    stop: int,
    storages: dict[str, Storage],
    unknown: Unknown | None = None,
) -> tuple[object, int]:
    """(inert value, byte after STOP) of the pickle at `start`; `storages` collects those it names.

    `unknown` collects names and objects outside the allow-list. A refusal lists the names that are
    not admitted.
    """
    stop = min(stop, start + limits.HEADER)
    stream = Stream(raw, start, stop)
    try:
        machine = Machine(stream, collector(storages), OPERATIONS, unknown or Unknown())
        value = machine.run()
    except CheckpointError as fault:
        content = raw.at(start, min(stop, raw.size) - start)
        scan = scanned(content, 1)
        names = _refused(scan.names, fault.__cause__)
        if not names:
            raise
        raise refusal_of(names, scan) from fault
    return value, stream.position


def _refused(names: tuple[str, ...], cause: object) -> tuple[str, ...]:
    """The names that a refusal lists.

    Where the operation is unknown no name was looked at, and all of them are listed.
    """
    if isinstance(cause, KeyError):
        return names
    others = []
    for dotted in names:
        module, _, name = dotted.rpartition(".")
        if not admitted(present(module, name)):
            others.append(dotted)
    if isinstance(cause, RefusedNameError):
        others.append(cause.name)
    return tuple(sorted(set(others)))
