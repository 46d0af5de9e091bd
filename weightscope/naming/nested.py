"""Blocks in stages where both are bare numbers: `features.3.1.attn`, `blocks.2.0.conv_dw`.

The second number is a block if neighbouring blocks of a stage have the same modules. Otherwise it
is a part of a layer: `layers.3.0` is the attention of layer 3, and `layers.3.1` its MLP.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from .location import Where
from .match import Matched

_PAIR = re.compile(
    r"(?:^|(?<=\.))(?:features|blocks?|layers?)\.(?P<stage>\d{1,6})\.(?P<block>\d{1,6})\.(?=[^.])"
)
ALIKE = 0.5  # the least share of common modules: a first block may also change the width
Module = tuple[str, int]  # name inside the block, number of dimensions
Blocks = dict[int, set[Module]]  # the modules of each block of a stage


@dataclass
class _Tower:
    """What is known of a container of numbered containers."""

    positions: dict[str, Where] = field(default_factory=dict)
    stages: dict[str, Blocks] = field(default_factory=dict)
    stated: bool = False  # whether a rule captures a stage

    def add(self, matched: Matched, where: Where) -> None:
        """Adds one tensor."""
        assert where.number is not None
        self.positions[matched.name] = where
        if "." not in where.rest:
            return  # of the block itself, if it holds modules; else of a position: a stem
        self.stated = self.stated or matched.where.stage == where.stage
        blocks = self.stages.setdefault(where.stage, {})
        module, _, _ = where.rest.rpartition(".")
        blocks.setdefault(where.number, set()).add((module, len(matched.dims)))

    @property
    def placed(self) -> dict[str, Where]:
        """The positions of the tensors of blocks."""
        return {name: where for name, where in self.positions.items() if self._holds(where)}

    def _holds(self, where: Where) -> bool:
        return where.number in self.stages.get(where.stage, ())

    @property
    def is_staged(self) -> bool:
        """Whether the second numbers are blocks: most neighbours are alike, or a rule states it."""
        if self.stated:
            return True
        votes = [alike for blocks in self.stages.values() for alike in _votes(blocks)]
        return 2 * sum(votes) > len(votes)


def nested(names: Collection[Matched]) -> dict[str, Where]:
    """The position of each name with a stage and a block; names without them are left out."""
    towers: dict[str, _Tower] = {}
    # the user counts the layers of these
    mapped = {m.where.tower for m in names if m.is_mapped and not m.where.stage}
    for matched in names:
        match = _PAIR.search(matched.name)
        if match is not None:
            where = _where(matched.name, match)
            towers.setdefault(where.tower, _Tower()).add(matched, where)
    staged: dict[str, Where] = {}
    for name, tower in towers.items():
        if name not in mapped and tower.is_staged:
            staged |= tower.placed
    return staged


def _where(name: str, match: re.Match[str]) -> Where:
    tower = name[: match.start("stage")].rstrip(".")
    return Where(tower, match["stage"], int(match["block"]), name[match.end() :])


def _votes(blocks: Mapping[int, set[Module]]) -> Iterator[bool]:
    """Whether each block of a stage is like the next."""
    for number, following in pairwise(sorted(blocks)):
        a, b = blocks[number], blocks[following]
        yield len(a & b) >= ALIKE * len(a | b)
