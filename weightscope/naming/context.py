"""From rules to places: the properties that depend on all names of a checkpoint.

Layers, stacks and the storage of a matrix follow from all names; a place then combines the position
of a name with its rule. A fused tensor has a place for each of its parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from sys import intern

from . import parts
from .convolution import convolution
from .experts import by_evidence
from .facts import Facts
from .fallback import unmatched, vector_kind
from .location import beginnings, layers, stack_of, stacks
from .match import Matched
from .operations import Operations
from .orientation import conv1d
from .place import Place
from .roles import kind_of, sets_of
from .rule import Rule, by_type
from .slots import path_of, slot_of


class Context:
    """Layers, stacks and storage (Conv1D or Linear) of one checkpoint."""

    def __init__(self, facts: Facts, names: Mapping[str, Matched]) -> None:
        self.facts = facts
        self.operations = Operations(facts.shapes)
        positions = {matched.where for matched in names.values()}
        self.layer = layers(positions)
        self.stack = stacks(where.tower for where in positions if where.number is not None)
        self.begins = beginnings(self.stack)
        self.longest = max(map(len, self.begins), default=0)
        self.conv1d = conv1d(self._maybe_conv1d(names), facts)

    def _maybe_conv1d(self, names: Mapping[str, Matched]) -> Iterator[tuple[str, str]]:
        """Tower and name of each weight that may be stored (in, out)."""
        for matched in names.values():
            if matched.rule and self._storage(matched.rule) == "by_conv1d":
                yield matched.where.tower, matched.name

    def _storage(self, rule: Rule) -> str:
        return by_type(rule.orientation, self.facts.model_type) or "out_in"

    def places(self, matched: Matched, split: bool) -> tuple[Place, ...]:
        """The place of one name, or of each of its parts."""
        rule, match = matched.rule, matched.match
        if rule is None or match is None:
            return (self._unknown(matched),)
        base = self._stated(matched, rule, match)
        if not split:
            return (base,)
        scheme = by_type(rule.split, self.facts.model_type)
        return parts.split_place(base, scheme, matched.name, matched.dims, self.facts)

    def path(self, matched: Matched) -> str:
        """The name inside its layer."""
        layer = self.layer.get(matched.where)
        return path_of(matched.name, matched.where, layer)

    def _unknown(self, matched: Matched) -> Place:
        """The place that follows from shapes alone, at the position of the name."""
        place = unmatched(matched.name, matched.dims, self.facts.shapes, self.operations)
        layer = self.layer.get(matched.where)
        stack = self._stack(matched)
        place = replace(place, layer=layer, stack=stack, slot=self.path(matched))
        return self._kernels(place, matched)

    def _kernels(self, place: Place, matched: Matched) -> Place:
        """The place with the orientation of a convolution, unless its rule states one."""
        if place.kind != "conv" or place.orientation != "out_in":
            return place
        orientation, groups = convolution(matched.name, matched.dims, self.facts.shapes)
        if orientation == "out_in" and groups == place.groups:
            return place
        transpose = orientation == "in_out"
        return replace(place, orientation=orientation, transpose=transpose, groups=groups)

    def _stack(self, matched: Matched) -> str:
        """The tower of a name in a layer, else of its first words; then the stack of its rule."""
        if matched.where.number is not None:
            stack = self.stack[matched.where.tower]
        else:
            stack = stack_of(matched.name, self.begins, self.longest)
        inner = matched.rule.stack if matched.rule else ""
        if not inner:
            return stack
        return ".".join(word for word in (stack, inner) if word)

    def _stated(self, matched: Matched, rule: Rule, match: re.Match[str]) -> Place:
        """The place that a rule declares, at the position of the name."""
        groups = match.groupdict()
        role = rule.role_of(groups)
        kind = rule.kind or kind_of(role)
        rows, columns = _index_sets(rule, role)
        is_bias = _is_bias(groups.get("what") or "")
        if is_bias:
            kind = "bias"
            if role != "bias":
                role = f"{role}.bias"
        elif kind in ("matrix", "conv") and len(matched.dims) <= 1:
            kind = vector_kind(matched.name)
            rows, columns = "", rows or columns
        if is_bias:  # a vector is 1 x n: its elements are the outputs of the matrix
            rows, columns = "", rows or columns
        orientation = self._orientation(matched, rule, role)
        place = Place(
            role,
            kind,
            self.layer.get(matched.where),
            self._stack(matched),
            part=intern(groups.get("expert") or ""),  # of an expert that is stored apart
            transpose=orientation == "in_out" and not is_bias,
            orientation=orientation,
            out_set=rows,
            in_set=columns,
            slot=slot_of(rule, groups, partial(self.path, matched), role),
            family=rule.family,
            why=rule.why,
            rotary=rule.rotary,
        )
        return self._kernels(place, matched)

    def _orientation(self, matched: Matched, rule: Rule, role: str) -> str:
        """The orientation that the rule declares; vectors have only one."""
        storage = self._storage(rule)
        many = len(matched.dims)
        if many < 2 or (storage == "by_hidden" and many < 3):
            return "out_in"
        if storage == "by_conv1d":
            return self.conv1d.get(matched.where.tower, "unknown")
        if storage == "by_hidden":
            return by_evidence(role, matched.name, matched.dims, self.facts)
        return storage


def _index_sets(rule: Rule, role: str) -> tuple[str, str]:
    """The index sets of rows and columns that the rule declares, else those of the role."""
    rows, columns = sets_of(role)
    if rule.out is not None:
        rows = rule.out
    if rule.into is not None:
        columns = rule.into
    return rows, columns


def _is_bias(ending: str) -> bool:
    """Whether the captured end of a name is that of a bias: `b` in TransformerLens."""
    return "bias" in ending or ending in ("beta", "b", "_b")
