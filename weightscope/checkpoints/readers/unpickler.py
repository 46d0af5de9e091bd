"""An interpreter of pickles that can execute nothing of what they contain.

It is no subclass of Python's unpickler: there is no import, no `__reduce__`, no `__setstate__` to
reach (operations.py). The names that a refused pickle refers to are listed by a scan that executes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import CheckpointError
from .. import limits
from .machine import Machine
from .operations import OPERATIONS
from .persistent import collector
from .pickle_scan import refusal_of, wanted
from .raw_file import RawFile, Stream
from .torch_values import Storage


@dataclass(frozen=True)
class Loaded:
    """The content of a torch file: a tree of inert values, and the start of each storage."""

    tree: object
    starts: Mapping[str, int] = field(default_factory=dict)
    swapped: bool = False  # big-endian
    flags: tuple[str, ...] = ()


def unpickle(
    raw: RawFile, start: int, stop: int, storages: dict[str, Storage]
) -> tuple[object, int]:
    """(inert value, byte after STOP) of the pickle at `start`; `storages` collects those it names.

    The refusal lists every name outside the allow-list that the pickle refers to.
    """
    stop = min(stop, start + limits.HEADER)
    stream = Stream(raw, start, stop)
    try:
        value = Machine(stream, collector(storages), OPERATIONS).run()
    except CheckpointError as fault:
        content = raw.at(start, min(stop, raw.size) - start)
        names = wanted(content, 1)
        if not names:
            raise
        raise refusal_of(names) from fault
    return value, stream.position
