"""From names to places, all names of a checkpoint at once: a file's other names decide what one alone cannot.

First match wins over the families in order, rules of a name map before all. A name is matched once per spelling:
numbers above nine are alike to the families, so 100,000 experts cost a few hundred matches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from . import parts
from .conditions import Conditions
from .convolution import convolution
from .experts import by_evidence
from .facts import Facts
from .fallback import unmatched, vector_kind
from .family import ORDER, Family, family
from .family import name_map as load_map
from .location import NOWHERE, Where, beginnings, layers, locate, stack_of, stacks
from .numbered import layered, numbered
from .operations import Operations
from .orientation import conv1d
from .place import Place
from .prefixes import strip_prefixes
from .roles import kind_of, sets_of
from .rule import Rule, by_type
from .slots import apart, path_of, slot_of

LONGEST = 512  # characters; the longest name met in a real checkpoint has 120
_LARGE = re.compile(r"(?<=\.)[1-9][0-9]+(?=\.)")


@dataclass(frozen=True)
class Found:
    """A name without wrappers, its stored shape, and the rule that matched it, if one did."""

    name: str
    dims: tuple[int, ...]
    rule: Rule | None
    match: re.Match[str] | None
    where: Where

    @property
    def is_state(self) -> bool:
        """Whether it is optimizer state, whose numbers count parameters."""
        return self.rule is not None and self.rule.role == "optimizer"


def places(
    shapes: Mapping[str, tuple[int, ...]],
    config: Mapping[str, object],
    *,
    split: bool = True,
    name_map: Path | str | None = None,
) -> dict[str, tuple[Place, ...]]:
    """The places of every name: one, or one per part of a fused tensor and per expert of a stack.

    >>> [(p.part, p.rows.start) for p in places({"h.0.attn.c_attn.weight": (24, 8)}, {})["h.0.attn.c_attn.weight"]]
    [('q', 0), ('k', 8), ('v', 16)]
    """
    own = load_map(Path(name_map)) if name_map is not None else None
    plain = {name: strip_prefixes(name) for name in shapes}
    facts = Facts(config, {plain[name]: tuple(dims) for name, dims in shapes.items()})
    search = _Search(facts, own)
    found = _layered({name: search.find(plain[name], tuple(dims)) for name, dims in shapes.items()})
    context = _Context(facts, found)
    made = {name: context.places(found[name], split) for name in shapes}
    placed = parts.same_heads(made, {name: found[name].dims for name in shapes})
    return apart(placed, {name: context.path(found[name]) for name in shapes})


def _layered(found: dict[str, Found]) -> dict[str, Found]:
    """The names, in the layers of their own containers where the file has none of the usual ones."""
    if layered({name: f.where for name, f in found.items()}):
        return found
    own = numbered(f.name for f in found.values() if len(f.name) <= LONGEST and not f.is_state)
    return {name: replace(f, where=own.get(f.name, f.where)) for name, f in found.items()}


class _Search:
    """Rules for the names of one checkpoint, each spelling looked up once."""

    def __init__(self, facts: Facts, own: Family | None) -> None:
        self.own = own
        self.conditions = Conditions(facts.shapes)
        self.seen: dict[tuple[str, int, int], tuple[Rule, ...]] = {}

    def find(self, name: str, dims: tuple[int, ...]) -> Found:
        """By its own shape, for without wrappers two names may be one."""
        if len(name) > LONGEST:
            return Found(name, dims, None, None, NOWHERE)
        for rule in self._candidates(name, dims):
            match = rule.pattern.fullmatch(name)
            if match and self.conditions.hold(rule, name, match):
                return Found(name, dims, rule, match, locate(name, match))
        return Found(name, dims, None, None, locate(name, None))

    def _candidates(self, name: str, dims: tuple[int, ...]) -> Iterator[Rule]:
        if self.own:
            yield from self.own.candidates(name, dims)
        yield from self._known(name, dims)

    def _known(self, name: str, dims: tuple[int, ...]) -> tuple[Rule, ...]:
        spelling = _LARGE.sub("10", name)  # no rule of the package names a number above nine
        key = spelling, len(dims), dims[1] if len(dims) > 1 and dims[1] == 1 else 0
        if key not in self.seen:
            self.seen[key] = tuple(_of_the_package(spelling, dims))
        return self.seen[key]


def _of_the_package(name: str, dims: tuple[int, ...]) -> Iterator[Rule]:
    """The rules that fit, up to the first that no other name of the file can exclude."""
    for identifier in ORDER:
        for rule in family(identifier).candidates(name, dims):
            yield rule
            if not rule.conditional:
                return


class _Context:
    """What the names of one checkpoint settle together: layers, stacks, Conv1D or Linear."""

    def __init__(self, facts: Facts, found: Mapping[str, Found]) -> None:
        self.facts = facts
        self.operations = Operations(facts.shapes)
        wheres = {f.where for f in found.values()}
        self.layer = layers(wheres)
        self.stack = stacks(w.tower for w in wheres if w.number is not None)
        self.begins = beginnings(self.stack)
        self.longest = max(map(len, self.begins), default=0)
        self.conv1d = conv1d(
            (
                (f.where.tower, f.name)
                for f in found.values()
                if f.rule and self._stored(f.rule) == "by_conv1d"
            ),
            facts,
        )

    def _stored(self, rule: Rule) -> str:
        return by_type(rule.orientation, self.facts.model_type) or "out_in"

    def places(self, found: Found, split: bool) -> tuple[Place, ...]:
        """The place of one name, or of each of its parts."""
        layer, stack = self.layer.get(found.where), self._stack(found)
        path = self.path(found)
        if found.rule is None or found.match is None:
            place = unmatched(found.name, found.dims, self.facts.shapes, self.operations)
            place = replace(place, layer=layer, stack=stack, slot=path)
            return (self._kernels(place, found),)
        base = self._kernels(self._base(found, found.rule, found.match, layer, stack), found)
        base = replace(base, slot=slot_of(found.rule, found.match.groupdict(), path, base.role))
        scheme = by_type(found.rule.split, self.facts.model_type)
        made = (
            parts.split_place(base, scheme, found.name, found.dims, self.facts)
            if split
            else (base,)
        )
        return parts.of_expert(made, found.match.groupdict().get("expert"))

    def path(self, found: Found) -> str:
        """The name inside its layer."""
        return path_of(found.name, found.where, self.layer.get(found.where))

    def _kernels(self, base: Place, found: Found) -> Place:
        """The place with the orientation of a convolution, unless its rule states one."""
        if base.kind != "conv" or base.orientation != "out_in":
            return base
        orientation, groups = convolution(found.name, found.dims, self.facts.shapes)
        return replace(
            base, orientation=orientation, transpose=orientation == "in_out", groups=groups
        )

    def _stack(self, found: Found) -> str:
        known = found.where.number is not None
        stack = (
            self.stack[found.where.tower]
            if known
            else stack_of(found.name, self.begins, self.longest)
        )
        inner = found.rule.stack if found.rule else ""
        return ".".join(word for word in (stack, inner) if word)

    def _base(
        self, found: Found, rule: Rule, match: re.Match[str], layer: int | None, stack: str
    ) -> Place:
        groups = match.groupdict()
        role = (
            rule.role
            if isinstance(rule.role, str)
            else rule.role.get(groups.get("key") or "", "unknown")
        )
        bias = _is_bias(groups.get("what") or "")
        rows, cols = sets_of(role)
        rows, cols = (
            rows if rule.out is None else rule.out,
            cols if rule.into is None else rule.into,
        )
        why = f"{rule.family}: {rule.regex}"
        if bias:
            role = role if role == "bias" else f"{role}.bias"
            return Place(
                role,
                "bias",
                layer,
                stack,
                orientation=self._turned(found, rule, role),
                in_set=rows or cols,
                family=rule.family,
                why=why,
            )
        kind = rule.kind or kind_of(role)
        if kind in ("matrix", "conv") and len(found.dims) <= 1:
            kind, rows, cols = vector_kind(found.name), "", rows or cols
        turned = self._turned(found, rule, role)
        return Place(
            role,
            kind,
            layer,
            stack,
            "",
            turned == "in_out",
            turned,
            out_set=rows,
            in_set=cols,
            family=rule.family,
            why=why,
        )

    def _turned(self, found: Found, rule: Rule, role: str) -> str:
        stored = self._stored(rule)
        if stored == "by_conv1d":
            return (
                self.conv1d.get(found.where.tower, "unknown") if len(found.dims) > 1 else "out_in"
            )
        if stored == "by_hidden":
            return (
                by_evidence(role, found.name, found.dims, self.facts)
                if len(found.dims) > 2
                else "out_in"
            )
        return stored if len(found.dims) > 1 else "out_in"


def _is_bias(ending: str) -> bool:
    """Whether what a rule captures at the end of a name is added: `b` in TransformerLens."""
    return "bias" in ending or ending in ("beta", "b", "_b")
