"""From names to rules: the first rule of a name map, else of the families, that fits a name.

A name is matched once per spelling: rules do not distinguish numbers above nine, so that 100,000
experts cost a few hundred matches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .conditions import Conditions
from .facts import Facts
from .family import ORDER, Family, family
from .location import NOWHERE, Where, has_stages, locate
from .rule import LONGEST, Rule

_LARGE = re.compile(r"(?<=\.)[1-9][0-9]+(?=\.)")
Spelling = tuple[str, int, int]  # with small numbers alone; dimensions; 1 where the second one is 1


@dataclass(frozen=True, slots=True)
class Matched:
    """A name without wrappers, its stored shape, its position, and the rule that fits it."""

    name: str
    dims: tuple[int, ...]
    where: Where
    rule: Rule | None = None
    match: re.Match[str] | None = None
    is_mapped: bool = False  # whether a rule of the user states the layer

    @property
    def is_state(self) -> bool:
        """Whether it is optimizer state, whose numbers count parameters."""
        return self.rule is not None and self.rule.role == "optimizer"


class Search:
    """Rules for the names of one checkpoint, each spelling looked up once."""

    def __init__(self, facts: Facts, name_map: Family | None) -> None:
        self.name_map = name_map
        self.conditions = Conditions(facts.shapes)
        self.seen: dict[Spelling, tuple[Rule, ...]] = {}
        self.staged: dict[str, bool] = {}  # by spelling

    def find(self, name: str, dims: tuple[int, ...]) -> Matched:
        """By its own shape: without wrappers two names may be one."""
        if len(name) > LONGEST:
            return Matched(name, dims, NOWHERE)
        spelling = _LARGE.sub("10", name)
        may_have_stages = self._may_have_stages(spelling)
        for rule in self._candidates(name, spelling, dims):
            match = rule.pattern.fullmatch(name)
            if match and self.conditions.hold(rule, name, match):
                where = locate(name, match, may_have_stages)
                return Matched(name, dims, where, rule, match, self._is_mapped(rule, match))
        return Matched(name, dims, locate(name, None, may_have_stages))

    def _may_have_stages(self, spelling: str) -> bool:
        """Whether names of a spelling may have stages, searched once."""
        staged = self.staged.get(spelling)
        if staged is None:
            staged = has_stages(spelling)
            self.staged[spelling] = staged
        return staged

    def _is_mapped(self, rule: Rule, match: re.Match[str]) -> bool:
        """Whether a rule of the name map captures the layer."""
        if self.name_map is None or "layer" not in match.re.groupindex:
            return False
        return any(rule is other for other in self.name_map.rules)

    def _candidates(self, name: str, spelling: str, dims: tuple[int, ...]) -> Iterator[Rule]:
        """The rules of the name map, then those of the package."""
        if self.name_map:
            yield from self.name_map.candidates(name, dims)
        # no rule of the package names a number above nine
        single = len(dims) > 1 and dims[1] == 1
        key = spelling, len(dims), int(single)
        if key not in self.seen:
            self.seen[key] = tuple(_of_the_package(spelling, dims))
        yield from self.seen[key]


def _of_the_package(name: str, dims: tuple[int, ...]) -> Iterator[Rule]:
    """The rules that fit, up to the first that no other name of the file can exclude."""
    for identifier in ORDER:
        for rule in family(identifier).candidates(name, dims):
            yield rule
            if not rule.conditional:
                return
