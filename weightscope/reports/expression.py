"""Expressions over the columns of a row, for `--where` and `--fail-if`.

Text is parsed by Python's own parser, checked against a list of allowed syntax and the declared
columns, and compiled to closures: Python itself evaluates nothing. Logic has three values: a
comparison with null is null, `not null` is null, `and` and `or` are Kleene's. Arithmetic is float64
and never raises (1 / 0 is inf, 0 / 0 is NaN, an overflow is inf); whole numbers that are only
compared stay exact.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..columns import Column
from ..errors import UsageError
from ..escape import escaped
from .compiling import Compiler, refusal
from .suggestions import repaired
from .values import Value

LONGEST = 4000  # characters: longer than any expression a person writes
DEEPEST = 60  # levels: evaluation recurses, and Python's stack is finite


@dataclass(frozen=True)
class Expression:
    """A checked condition: its text, the columns it reads in order, and its value for a row."""

    text: str
    names: tuple[str, ...]
    value: Callable[[Mapping[str, object]], Value] = field(repr=False, compare=False)

    def __call__(self, row: Mapping[str, object]) -> bool | None:
        """Whether the row matches; None where a null makes that unknown."""
        result = self.value(row)
        return None if result is None else bool(result)


def parse(
    text: str, columns: Sequence[Column], optional: Mapping[str, str] | None = None
) -> Expression:
    """Checks an expression against the columns of a run; `optional`: absent columns by option.

    >>> skewed = parse("abs(skew) > 1 or isnull(skew)", [Column("skew", "float", "third moment")])
    >>> skewed({"skew": -2.0}), skewed({"skew": 0.0}), skewed({"skew": None}), skewed.names
    (True, False, True, ('skew',))
    """
    try:
        return _checked(text, columns, optional or {})
    except UsageError as fault:
        correction = repaired(text[:LONGEST])
        if correction == text.strip() or not _is_valid(correction, columns, optional or {}):
            raise
        advice = f"write `{escaped(correction)}`"
        raise UsageError(fault.expected, fault.found, advice) from None


def _is_valid(text: str, columns: Sequence[Column], optional: Mapping[str, str]) -> bool:
    """Whether an expression has a meaning."""
    try:
        _checked(text, columns, optional)
    except UsageError:
        return False
    return True


def _checked(text: str, columns: Sequence[Column], optional: Mapping[str, str]) -> Expression:
    """The expression; raises UsageError with the position of the fault."""
    tree = _tree(text)
    compiler = Compiler(text, {c.name: c for c in columns}, optional)
    compiled = compiler.make(tree)
    if compiled.kind != "bool":
        raise refusal(
            text,
            tree,
            "a condition that is true or false",
            f"a {compiled.kind}",
            "compare it, as in `std > 0.1`",
        )
    return Expression(text, tuple(compiler.names), compiled.of)


def _tree(text: str) -> ast.expr:
    """The syntax tree, of bounded size."""
    if len(text) > LONGEST:
        raise UsageError(
            f"expected an expression of at most {LONGEST} characters",
            f"found {len(text)}",
            "write it shorter",
        )
    try:
        with warnings.catch_warnings():  # "\d" in a string would print a SyntaxWarning
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise _unreadable(text, error) from None
    _bound(tree)
    return tree


def _unreadable(text: str, error: Exception) -> UsageError:
    where, why = "", "it cannot be parsed"
    if isinstance(error, SyntaxError):
        why = str(error.msg)
        if error.offset:
            where = f" (position {error.offset})"
    return UsageError(
        "expected an expression over columns, such as `nan > 0 or max_z > 40`",
        f"found '{escaped(text)}'{where}: {escaped(why)}",
        "quote it as one argument of the shell",
    )


def _bound(tree: ast.expr) -> None:
    """Refuses a tree of more than DEEPEST levels."""
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise UsageError(
        f"expected an expression of at most {DEEPEST} nested levels",
        "found a deeper one",
        "write it flatter",
    )
