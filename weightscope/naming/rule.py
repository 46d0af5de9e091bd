"""A rule: the names that it matches and their role, slot, orientation and parts.

Files of `--name-map` and families/*.toml have the same format.

`regex` is anchored at both ends and may follow any dotted prefix unless it begins with `^`. Short
forms: `<L>` a layer, `<S>` a stage before it, `<X>` an expert, `<W>` the ending `.weight` or
`.bias`, `<T>` the words before a name outside the numbered layers, `<A>` and `<B>` the factors of
LoRA in every spelling. A group `key` selects the role from a table. `orientation` and `split` may
be tables by model_type, "" standing for all others.

`slot` distinguishes equal roles of a layer: a word, or a table by the group `slot` of the regex,
else by its `key`. A group `slot` without a table is the word itself. `<path>` is the name inside
its layer, `<module>` the module's. The text of a group `last` is appended, then the number of a
group `inner`, unless that is 0.

`rotary = "interleaved"` states that the rows of each head of q and k alternate between the halves
of the rotation, which transformers stores one after the other (rotary.py); it may be a table too.

Other names may be conditions (conditions.py): `beside`, `same_layer`, `without`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ..errors import UsageError
from ..escape import listed, quoted, shown
from ..factors import SHORT as FACTORS

_SHORT = {
    "<L>": r"(?P<layer>\d{1,6})",
    "<S>": r"(?P<stage>\d{1,6})",
    "<X>": r"(?P<expert>\d{1,6})",
    "<W>": r"\.(?P<what>weight|bias)",
    "<T>": r"(?:(?!(?:\w*(?:layer|block)_?)?\d+\.)[^.\n]+\.){0,8}",
}
_FIELDS = frozenset(
    (
        "regex",
        "role",
        "slot",
        "kind",
        "orientation",
        "split",
        "needs",
        "out",
        "in",
        "rank",
        "dim1",
        "stack",
        "beside",
        "same_layer",
        "without",
        "rotary",
    )
)
PATH, MODULE = "<path>", "<module>"
LONGEST = 512  # characters of a name; the longest one met in a real checkpoint has 120
ByType = str | Mapping[str, str]  # one value, or a value per model_type


@dataclass(frozen=True)
class Rule:
    """One line of a family file."""

    regex: str
    role: ByType  # one role, or a role per value of the group `key`
    family: str = ""
    slot: ByType | None = None  # a word, or a word per value of the group; None = that of the role
    kind: str = ""  # "" = that of the role
    orientation: ByType = "out_in"
    split: ByType = ""  # a scheme of splits.py and its parts: `equal q k v`
    needs: tuple[str, ...] = ()  # keys of config.json that the split reads
    out: str | None = None  # index sets; None = that of the role
    into: str | None = None
    rank: tuple[int, ...] = ()  # stored dimensions that the rule is for; () = any
    dim1: int | None = None  # the second stored dimension must be this
    stack: str = ""  # a tower that the name has inside the layer: `context`
    beside: str = ""  # in place of `key`: a name that must exist, or with `!` must not
    same_layer: tuple[str, ...] = ()  # names that the same layer must have, or with `!` must not
    without: str = ""  # a regular expression that no matrix of another module may match
    rotary: ByType = ""  # the order of rows in each head of q and k: interleaved, else halves

    @property
    def body(self) -> str:
        """The regex with its short forms written out, without the prefix."""
        return _written_out(self.regex)

    @property
    def free(self) -> str:
        """The whole pattern, with the optional dotted prefix."""
        return _free(self.body)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled on first use: a run needs few of the families."""
        return re.compile(self.free)

    @cached_property
    def why(self) -> str:
        """Family and rule, for people: one text for all names that it matches."""
        return f"{self.family}: {self.regex}"

    @property
    def others(self) -> str:
        """The pattern of the names whose presence in another module excludes the rule."""
        return _free(_written_out(self.without))

    @cached_property
    def conditional(self) -> bool:
        """Whether other names of the file decide: with a rank, the weight beside a bias does."""
        return bool(self.beside or self.same_layer or self.without or self.rank)

    def role_of(self, groups: Mapping[str, str | None]) -> str:
        """The role of a match: one for all, or that of its group `key`."""
        if isinstance(self.role, str):
            return self.role
        return self.role.get(groups.get("key") or "", "unknown")

    def word(self, groups: Mapping[str, str | None]) -> str | None:
        """The slot of a match without its inner number; None where the rule states none.

        >>> rule = Rule("h.(?P<slot>ln1|ln2)", "norm", slot={"ln1": "attn", "ln2": "mlp"})
        >>> rule.word({"slot": "ln2"})
        'mlp'
        """
        word = self._picked(groups)
        last = groups.get("last")
        if word is None or not last:
            return word
        if word:
            return f"{word}.{last}"
        return last

    def _picked(self, groups: Mapping[str, str | None]) -> str | None:
        """The slot itself, or its entry for a group."""
        own = groups.get("slot")
        if isinstance(self.slot, str):
            return self.slot
        if self.slot is None:
            return (own or "") if "slot" in groups else None
        if "slot" in groups:
            picked = own
        else:
            picked = groups.get("key")
        return self.slot.get(picked or "", "")

    def fits(self, dims: tuple[int, ...]) -> bool:
        """Whether the stored shape is one that the rule is for."""
        if self.rank and len(dims) not in self.rank:
            return False
        if self.dim1 is None:
            return True
        return len(dims) > 1 and dims[1] == self.dim1


def _written_out(text: str) -> str:
    """A regular expression without short forms."""
    for short, long in (_SHORT | FACTORS).items():
        text = text.replace(short, long)
    return text


def _free(body: str) -> str:
    if body.startswith("^"):
        return body
    return r"(?:.*\.)?" + f"(?:{body})"


def by_type(value: ByType, model_type: str) -> str:
    """The value for a model type.

    >>> by_type({"gpt2": "in_out", "": "by_conv1d"}, "bert")
    'by_conv1d'
    """
    if isinstance(value, str):
        return value
    others = value.get("", "")
    return value.get(model_type, others)


def parse_rule(table: object, family: str) -> Rule:
    """A rule of a TOML table; missing and foreign fields are a UsageError."""
    if (
        not isinstance(table, dict)
        or not isinstance(table.get("regex"), str)
        or "role" not in table
    ):
        raise UsageError(
            "each [[rule]] has a `regex` and a `role`",
            f"found {spelled(table)} in {family}",
            "add what is missing",
        )
    if extra := sorted(set(table) - _FIELDS):
        raise UsageError(
            f"a rule has the fields {', '.join(sorted(_FIELDS))}",
            f"found `{shown(extra[0])}` in {family}",
            "correct or remove it",
        )
    fields = {k: v for k, v in table.items() if k != "in"} | {
        "family": family,
        "into": table.get("in"),
    }
    for name, what, right in _TYPES:
        if name in table and not right(table[name]):
            raise UsageError(
                f"`{name}` is {what}",
                f"found {spelled(table[name])} in {family}",
                f"correct the {name}",
            )
    for name in ("needs", "rank", "same_layer"):
        fields[name] = tuple(fields.get(name, ()))
    return Rule(**fields)


def spelled(value: object) -> str:
    """A value of a name map for a message: text in quotes, a table by its fields.

    >>> spelled("a"), spelled(3), spelled({"role": "norm"})
    ("'a'", '3', 'the fields role')
    """
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict) and value:
        return f"the fields {listed(sorted(value))}"
    return shown(value)


def _is_list_of(kind: type) -> Callable[[object], bool]:
    """Whether a value is a list of this type alone."""

    def holds(value: object) -> bool:
        if not isinstance(value, list):
            return False
        return all(type(element) is kind for element in value)

    return holds


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_TYPES: tuple[tuple[str, str, Callable[[object], bool]], ...] = (
    ("rank", "a list of whole numbers", _is_list_of(int)),
    ("needs", "a list of texts", _is_list_of(str)),
    ("dim1", "a whole number", lambda value: type(value) is int),
    ("out", "a text", _is_text),
    ("in", "a text", _is_text),
    ("stack", "a text", _is_text),
    ("kind", "a text", _is_text),
    ("beside", "a text", _is_text),
    ("without", "a text", _is_text),
    ("same_layer", "a list of texts", _is_list_of(str)),
)
