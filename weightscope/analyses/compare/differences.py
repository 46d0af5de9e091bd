"""Keys of config.json and of the metadata of a file that differ between A and B, one line a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...checkpoints import Checkpoint
from ...escape import shown
from .adapting import is_adapter

MOST = 20  # lines
ABSENT = object()
MEMBERS = 8  # of a list in a line
DEEPEST = 8  # nested tables of a config


def differences(a: Checkpoint, b: Checkpoint) -> tuple[str, ...]:
    """Lines for what differs beside the tensors; none where B is an adapter."""
    if is_adapter(b):
        return ()
    lines = [*_lines("config", a.config, b.config), *_lines("metadata", a.metadata, b.metadata)]
    if len(lines) > MOST:
        more = len(lines) - MOST
        return (*lines[:MOST], f"{more} more keys of config and metadata differ")
    return tuple(lines)


def _lines(name: str, a: Mapping[str, object], b: Mapping[str, object]) -> Iterator[str]:
    """One line for each key whose values differ; a single one where a side has nothing."""
    if bool(a) != bool(b):
        side = "A" if a else "B"
        yield f"only {side} has {name}"
        return
    flat_a, flat_b = dict(_flat(a)), dict(_flat(b))
    for key in sorted(flat_a.keys() | flat_b.keys()):
        first, second = flat_a.get(key, ABSENT), flat_b.get(key, ABSENT)
        if first != second:
            yield f"{name} {shown(key)}: {_text(first)} in A, {_text(second)} in B"


def _text(value: object) -> str:
    """A value of config.json for a message, lists with their members."""
    if value is ABSENT:
        return "absent"
    if isinstance(value, (list, tuple)):
        members = ", ".join(_text(member) for member in value[:MEMBERS])
        return f"[{members}, ...]" if len(value) > MEMBERS else f"[{members}]"
    return shown(value)


def _flat(
    table: Mapping[str, object], before: str = "", depth: int = 0
) -> Iterator[tuple[str, object]]:
    """Keys with dots and their values; tables nested too deep stay whole."""
    for key, value in table.items():
        if isinstance(value, Mapping) and depth < DEEPEST:
            yield from _flat(value, f"{before}{key}.", depth + 1)
        else:
            yield f"{before}{key}", value
