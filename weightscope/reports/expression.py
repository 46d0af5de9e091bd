"""Expressions over the columns of a row, for `--where` and `--fail-if`.

Text is parsed by Python's own parser, checked against a whitelist and the declared columns, and turned into closures:
nothing is ever evaluated by Python itself. Logic has three values: a comparison with null is null, `not null` is
null, `and` and `or` are Kleene's. Arithmetic is float64 and never raises (1 / 0 is inf, 0 / 0 is NaN, an
overflow is inf); whole numbers that are only compared stay exact.
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
from .values import Value

LONGEST = 4000  # characters: longer than any expression a person writes
DEEPEST = 60  # levels: evaluation recurses, and Python's stack is finite


@dataclass(frozen=True)
class Expression:
    """A checked condition: its text, the columns it reads in order of appearance, and True/False/None for a row."""

    text: str
    names: tuple[str, ...]
    value: Callable[[Mapping[str, object]], Value] = field(repr=False, compare=False)

    def __call__(self, row: Mapping[str, object]) -> bool | None:
        """Whether the row matches; None where a null leaves that open."""
        answer = self.value(row)
        return None if answer is None else bool(answer)


def parse(
    text: str, columns: Sequence[Column], optional: Mapping[str, str] | None = None
) -> Expression:
    """Checks an expression against the columns of a run; `optional` names absent columns with their options.

    >>> loud = parse("abs(skew) > 1 or isnull(skew)", [Column("skew", "float", "third moment")])
    >>> loud({"skew": -2.0}), loud({"skew": 0.0}), loud({"skew": None}), loud.names
    (True, False, True, ('skew',))
    """
    tree = _tree(text)
    compiler = Compiler(text, {c.name: c for c in columns}, optional or {})
    made = compiler.make(tree)
    if made.kind != "bool":
        raise refusal(
            text,
            tree,
            "a condition that is true or false",
            f"a {made.kind}",
            "compare it, as in `std > 0.1`",
        )
    return Expression(text, tuple(compiler.names), made.of)


def _tree(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise UsageError(
            f"expected an expression of at most {LONGEST} characters",
            f"found {len(text)}",
            "write it shorter",
        )
    try:
        with warnings.catch_warnings():  # "\d" in a string is worth no word on stderr
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise _unreadable(text, error) from None
    _bound(tree)
    return tree


def _unreadable(text: str, error: Exception) -> UsageError:
    at = f" (position {error.offset})" if isinstance(error, SyntaxError) and error.offset else ""
    why = error.msg if isinstance(error, SyntaxError) else "it cannot be read"
    return UsageError(
        "expected an expression over columns, such as `nan > 0 or max_z > 40`",
        f"found '{escaped(text)}'{at}: {escaped(str(why))}",
        "quote it as one argument of the shell",
    )


def _bound(tree: ast.expr) -> None:
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
