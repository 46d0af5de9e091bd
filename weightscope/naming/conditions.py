"""Conditions of rules on other names of a file: one beside, one in the layer, no rival elsewhere.

`post_attention_layernorm` precedes the MLP of a Llama, and follows the attention if the layer also
has a `post_feedforward_layernorm`; `linear` is the head only of a model that has no other; an
`embedding` with a bias is no table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from .roles import kind_of
from .rule import LONGEST, Rule

RANKS = {"conv": (3, 4, 5), "norm": (0, 1)}  # dimensions of a weight whose bias is a vector


class Conditions:
    """The conditions on one file; the names of other modules are searched once per rule."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.shapes = shapes
        self.rivals: dict[str, frozenset[str]] = {}

    def hold(self, rule: Rule, name: str, match: re.Match[str]) -> bool:
        """Whether the conditions of a rule hold for a name of this file."""
        if not rule.conditional:
            return True
        if rule.beside and not self._beside(rule, name, match):
            return False
        if not all(self._in_layer(name, match, sibling) for sibling in rule.same_layer):
            return False
        if rule.without and self._rivals(rule, name.rpartition(".")[0]):
            return False
        return self._like_its_weight(rule, name)

    def _beside(self, rule: Rule, name: str, match: re.Match[str]) -> bool:
        """Whether the name with `beside` in place of the group `key` exists.

        With `!`, whether it does not; without a match of the group there is no such name.
        """
        absent = rule.beside.startswith("!")
        if match["key"] is None:
            return absent
        before, after = name[: match.start("key")], name[match.end("key") :]
        stands = before + rule.beside.removeprefix("!") + after in self.shapes
        return stands != absent

    def _in_layer(self, name: str, match: re.Match[str], sibling: str) -> bool:
        """Whether the captured layer has a name; with `!` before the name, whether it does not."""
        layer = ""
        if "layer" in match.re.groupindex:
            layer = name[: match.end("layer")] + "."
        stands = layer + sibling.removeprefix("!") in self.shapes
        return stands != sibling.startswith("!")

    def _rivals(self, rule: Rule, module: str) -> int:
        """The number of other modules that exclude the rule."""
        modules = self._modules(rule)
        return len(modules) - (module in modules)

    def _modules(self, rule: Rule) -> frozenset[str]:
        """Modules that exclude the rule from all others: those with a matrix of such a name."""
        if rule.without not in self.rivals:
            others = re.compile(rule.others)
            self.rivals[rule.without] = frozenset(
                name.rpartition(".")[0] for name in self._matrices if others.fullmatch(name)
            )
        return self.rivals[rule.without]

    @cached_property
    def _matrices(self) -> list[str]:
        """Names of tensors of two dimensions that are short enough for a regular expression."""
        names = []
        for name, dims in self.shapes.items():
            if len(dims) == 2 and len(name) <= LONGEST:
                names.append(name)
        return names

    def _like_its_weight(self, rule: Rule, name: str) -> bool:
        """Whether the weight beside a bias has a number of dimensions that the rule states."""
        if not name.endswith(".bias") or not rule.rank:
            return True
        weight = self.shapes.get(name.removesuffix("bias") + "weight")
        if weight is None:
            return True
        if rule.rank != (1,):
            return len(weight) in rule.rank
        kind = ""
        if isinstance(rule.role, str):
            kind = kind_of(rule.role)
        return len(weight) in RANKS.get(kind, (len(weight),))
