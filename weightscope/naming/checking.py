"""Whether a rule is well formed: known words, expressions that compile, tables with groups.

The rules of a `--name-map` file are checked as it is read, those of the package by the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..errors import UsageError
from ..escape import quoted
from .roles import KINDS, is_role
from .rule import MODULE, PATH, Rule, spelled
from .split_words import expected

_SLOT = re.compile(rf"[\w.\-]*|{PATH}|{MODULE}")
_ORIENTATIONS = frozenset(("out_in", "in_out", "unknown", "by_conv1d", "by_hidden"))
_ROTARY = frozenset(("", "interleaved", "halves"))
_PARENTHESIS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()]", re.DOTALL)  # or contains one
_OUTSIDE = re.compile(r"\(\?(?:[=!(]|<[=!]|P=)|\\[1-9bB]|[$^]")  # depends on text around the group


def check(rule: Rule) -> Rule:
    """The rule if its words are known, its expressions compile and its tables have groups."""
    _check_words(rule)
    _check_split(rule)
    _check_regex(rule)
    _check_groups(rule)
    _check_slot(rule)
    _check_roles(rule)
    return rule


def _check_words(rule: Rule) -> None:
    known = (
        (rule.role, is_role, "role", "one of the roles in the page on families"),
        (rule.kind or "matrix", KINDS.__contains__, "kind", ", ".join(sorted(KINDS))),
        (
            rule.orientation,
            _ORIENTATIONS.__contains__,
            "orientation",
            ", ".join(sorted(_ORIENTATIONS)),
        ),
        (rule.rotary, _ROTARY.__contains__, "rotary", "interleaved or halves"),
        ("" if rule.slot is None else rule.slot, _is_slot, "slot", f"a word, {PATH} or {MODULE}"),
    )
    for value, good, field, choices in known:
        for word in value.values() if isinstance(value, Mapping) else (value,):
            if not (isinstance(word, str) and good(word)):
                raise _wrong_word(rule, field, choices, word)


def _check_split(rule: Rule) -> None:
    """A known scheme with as many parts as it needs, for every model_type."""
    splits = rule.split.values() if isinstance(rule.split, Mapping) else (rule.split,)
    for split in splits:
        if not isinstance(split, str):
            raise _wrong_word(rule, "split", "a scheme with its parts, a text", split)
        wanted = expected(split)
        if wanted:
            raise _wrong_word(rule, "split", wanted, split)


def _wrong_word(rule: Rule, field: str, choices: str, word: object) -> UsageError:
    return UsageError(
        f"`{field}` is {choices}",
        f"found {spelled(word)} in the rule {quoted(rule.regex)} of {rule.family}",
        f"correct the {field}",
    )


def _is_slot(text: str) -> bool:
    return _SLOT.fullmatch(text) is not None


def _check_regex(rule: Rule) -> None:
    expressions = (("regex", rule.regex, rule.free), ("without", rule.without, rule.others))
    for field, text, whole in expressions:
        try:
            re.compile(whole)
        except (re.error, RecursionError, OverflowError) as fault:
            raise UsageError(
                f"`{field}` is a regular expression of Python",
                f"found {quoted(text)} in {rule.family}: {fault}",
                "correct the expression",
            ) from fault


def _check_groups(rule: Rule) -> None:
    """A condition that replaces a group requires the group."""
    if rule.beside and "key" not in rule.pattern.groupindex:
        raise UsageError(
            "`beside` takes the place of a group `key` of the regex",
            f"found none in {quoted(rule.regex)} of {rule.family}",
            "write (?P<key>...) around what differs",
        )


def _check_slot(rule: Rule) -> None:
    """A table of slots has a group, `slot` before `key`."""
    if isinstance(rule.slot, Mapping):
        group = "slot" if "slot" in rule.pattern.groupindex else "key"
        _check_table(rule, "slot", group, rule.slot)


def _check_roles(rule: Rule) -> None:
    """A table of roles has a group `key`."""
    if isinstance(rule.role, Mapping):
        _check_table(rule, "role", "key", rule.role)


def _check_table(rule: Rule, field: str, group: str, keys: Iterable[str]) -> None:
    """A table by a group whose regular expression matches every key."""
    if group not in rule.pattern.groupindex:
        groups = "`slot` or `key`" if field == "slot" else "`key`"
        raise UsageError(
            f"a table of `{field}` has its keys from a group {groups} of the regex",
            f"found none in {quoted(rule.regex)} of {rule.family}",
            f"write (?P<{group}>...) around what differs, or one {field}",
        )
    inside = _inside(rule.body, group)
    if inside is None or _OUTSIDE.search(inside):
        return
    for key in keys:
        if key and not re.fullmatch(inside, key):
            raise UsageError(
                f"a table of `{field}` has keys that its group `{group}` can match",
                f"found {quoted(key)} in the rule {quoted(rule.regex)} of {rule.family}",
                "correct the key or the expression",
            )


def _inside(body: str, group: str) -> str | None:
    """The regular expression of a named group; None where it does not stand alone.

    >>> _inside("a(?P<key>b|(?:c|d))e", "key")
    'b|(?:c|d)'
    """
    begin = body.find(f"(?P<{group}>")
    if begin < 0:
        return None
    text = body[begin + len(f"(?P<{group}>") :]
    depth = 1
    for sign in _PARENTHESIS.finditer(text):
        depth += {"(": 1, ")": -1}.get(sign[0], 0)
        if depth == 0:
            return _compiles(text[: sign.start()])
    return None


def _compiles(text: str) -> str | None:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError):
        return None
    return text
