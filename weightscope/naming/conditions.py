"""What a rule may demand of the other names of a file: one beside it, one in its layer, no rival in another module.

`post_attention_layernorm` stands before the MLP of a Llama, and after the attention where the layer
also has a `post_feedforward_layernorm`; `encoder.linear` is the head only of a model that has no
other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .roles import kind_of
from .rule import Rule

KERNELS = (3, 4, 5)  # dimensions of a convolution's weight


class Conditions:
    """Those of all rules for one file; the names of other modules are searched once a rule."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.shapes = shapes
        self.rivals: dict[str, frozenset[str]] = {}

    def hold(self, rule: Rule, name: str, match: re.Match[str]) -> bool:
        """Whether the rule is for this name in this file."""
        if rule.beside and not self._beside(rule, name, match):
            return False
        if not all(self._in_layer(name, match, sibling) for sibling in rule.same_layer):
            return False
        if rule.without and self._rivals(rule, name.rpartition(".")[0]):
            return False
        return self._like_its_weight(rule, name)

    def _beside(self, rule: Rule, name: str, match: re.Match[str]) -> bool:
        """Whether the name with `beside` in place of the group `key` exists; a group that took no part has none."""
        if match["key"] is None:
            return False
        return name[: match.start("key")] + rule.beside + name[match.end("key") :] in self.shapes

    def _in_layer(self, name: str, match: re.Match[str], sibling: str) -> bool:
        """Whether the layer that the rule captures has a name, or has not where it begins with `!`."""
        layer = name[: match.end("layer")] + "." if "layer" in match.re.groupindex else ""
        stands = layer + sibling.removeprefix("!") in self.shapes
        return stands != sibling.startswith("!")

    def _rivals(self, rule: Rule, module: str) -> int:
        """How many other modules exclude the rule."""
        modules = self._modules(rule)
        return len(modules) - (module in modules)

    def _modules(self, rule: Rule) -> frozenset[str]:
        """Modules that exclude the rule from all others."""
        if rule.without not in self.rivals:
            hits = (
                name for name in self.shapes if len(name) <= 512 and rule.others.fullmatch(name)
            )
            self.rivals[rule.without] = frozenset(name.rpartition(".")[0] for name in hits)
        return self.rivals[rule.without]

    def _like_its_weight(self, rule: Rule, name: str) -> bool:
        """Whether the weight beside a bias has a number of dimensions that the rule is for, where it states one."""
        if not name.endswith(".bias") or not rule.rank:
            return True
        weight = self.shapes.get(name.removesuffix("bias") + "weight")
        is_conv = isinstance(rule.role, str) and kind_of(rule.role) == "conv"
        ranks = rule.rank if rule.rank != (1,) else KERNELS if is_conv else ()
        return weight is None or not ranks or len(weight) in ranks
