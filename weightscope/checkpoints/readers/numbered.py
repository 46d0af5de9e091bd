"""Shards without an index: the numbers in their names count them, `model-00001-of-00002.bin`.

A complete set is one model. Of an incomplete one the missing numbers are named: a folder with half
of a model must not pass for the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...errors import CheckpointError
from ...escape import LISTED, escaped, listed
from ..checkpoint import Checkpoint
from ..config import read_config
from .shards import MISSING, read_parts, united

if TYPE_CHECKING:
    from ..opening import Opening

PART = re.compile(
    r"(?P<stem>.*[-_.])(?P<number>\d{1,9})-of-(?P<total>\d{1,9})(?P<suffix>\..*)", re.DOTALL
)


@dataclass(frozen=True)
class Numbered:
    """The files of one set that exist."""

    names: tuple[str, ...]  # in natural order, at least one
    numbers: frozenset[int]  # in their names
    total: int  # number of shards that the names state

    @property
    def label(self) -> str:
        """The set in a message."""
        return f"{len(self.names)} shards from {escaped(self.names[0])}"

    @property
    def lack(self) -> str:
        """How many shards are there and which are missing; "" for a complete set."""
        # some programs count from 0
        first = 0 if 0 in self.numbers else 1
        end = first + self.total
        count = sum(first <= number < end for number in self.numbers)
        if count == self.total:
            return ""
        # a forged name may state a thousand million shards: only the first missing ones are sought
        absent: list[str] = []
        for number in range(first, end):
            if number not in self.numbers:
                absent.append(self._name(number))
            if len(absent) == LISTED:
                break
        missing = listed(absent)
        more = self.total - count - len(absent)
        if more > 0:
            missing += f" and {more} more"
        return f"{count} of {self.total} shards; missing {missing}"

    def _name(self, number: int) -> str:
        """The name of a shard, spelled like the first."""
        match = PART.fullmatch(self.names[0])
        assert match
        digits = str(number).zfill(len(match["number"]))
        return f"{match['stem']}{digits}-of-{match['total']}{match['suffix']}"


def numbered_sets(names: Iterable[str]) -> tuple[list[Numbered], list[str]]:
    """(sets of numbered shards, the other names), each in the order of `names`."""
    members: dict[tuple[str, int, str], list[tuple[str, int]]] = {}
    others = []
    for name in names:
        match = PART.fullmatch(name)
        if match is None or int(match["total"]) < 2:  # one of one is a file like any other
            others.append(name)
            continue
        key = (match["stem"], int(match["total"]), match["suffix"])
        members.setdefault(key, []).append((name, int(match["number"])))
    sets = []
    for (_, total, _), shards in members.items():
        names_of_set = tuple(name for name, _ in shards)
        sets.append(Numbered(names_of_set, frozenset(number for _, number in shards), total))
    return sets, others


def read_numbered(folder: str, numbered: Numbered, opening: Opening) -> Checkpoint:
    """The model of a set, with the config of its folder.

    Raises CheckpointError for an incomplete set without --salvage.
    """
    lack = numbered.lack
    if lack and not opening.salvage:
        raise CheckpointError("expected every shard of the model", f"found {lack}", MISSING)
    parts, unread = read_parts(folder, numbered.names, opening)
    config, config_flags = read_config(folder, opening.follow_symlinks)
    whole = united(parts, {})
    missing = (lack,) if lack else ()
    return replace(
        whole,
        source=folder,
        config=config,
        flags=(*whole.flags, *config_flags),
        missing=(*missing, *unread, *whole.missing),
    )
