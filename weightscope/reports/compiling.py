"""From the syntax tree of an expression to a closure with a known type; whatever is not on the list is refused.

Types are number, string and bool, known before any row is read, so a comparison of a string with a number is an
error of usage and not a silent non-match.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from ..columns import Column, Kind
from ..errors import UsageError
from ..escape import escaped
from . import logic
from .known import unknown
from .values import Value, plain

Type = Literal["number", "string", "bool"]
Of = Callable[[Mapping[str, object]], Value]

_TYPES: Mapping[Kind, Type] = {"str": "string", "int": "number", "float": "number", "bool": "bool"}


@dataclass(frozen=True)
class Made:
    """A part of an expression: its type and its value for a row."""

    kind: Type
    of: Of


def refusal(text: str, node: ast.expr, expected: str, found: str, advice: str) -> UsageError:
    """The error for a part of an expression, with its position in characters."""
    return UsageError(
        f"expected {expected}", f"found {found}{position(text, node)} of '{escaped(text)}'", advice
    )


def position(text: str, node: ast.expr) -> str:
    """Where a node begins, counted in characters from 1 (the parser counts UTF-8 bytes, line by line)."""
    lines = text.strip().splitlines(keepends=True)
    inside = (
        lines[node.lineno - 1].encode(errors="replace")[: node.col_offset].decode(errors="replace")
    )
    lead = len(text) - len(text.lstrip())
    return f" at position {lead + sum(map(len, lines[: node.lineno - 1])) + len(inside) + 1}"


@dataclass
class Compiler:
    """Makes closures of nodes, and collects the columns they read."""

    text: str
    columns: Mapping[str, Column]
    optional: Mapping[str, str]
    names: dict[str, None] = field(default_factory=dict)

    def make(self, node: ast.expr) -> Made:
        """The closure of a node; a node of a type that is not listed is refused with its position."""
        maker = _MAKERS.get(type(node))
        if maker is None:
            raise self.refuse(
                node,
                "columns, numbers, strings, operators, abs() and isnull()",
                f"a {_word(node)}",
                "leave it out",
            )
        return maker(self, node)

    def refuse(self, node: ast.expr, expected: str, found: str, advice: str) -> UsageError:
        """The error for a node of this expression."""
        return refusal(self.text, node, expected, found, advice)

    def want(self, node: ast.expr, kind: Type, of: str) -> Of:
        """The closure of a node that must have a type."""
        made = self.make(node)
        if made.kind != kind:
            raise self.refuse(node, f"a {kind} {of}", f"a {made.kind}", f"give a {kind}")
        return made.of


def _word(node: ast.expr) -> str:
    words = {
        ast.Attribute: "dot (attribute)",
        ast.Subscript: "subscript",
        ast.Tuple: "tuple outside `in`",
        ast.JoinedStr: "formatted string",
    }
    return words.get(type(node), type(node).__name__.lower())


def _name(c: Compiler, node: ast.Name) -> Made:
    column = c.columns.get(node.id)
    if column is None:
        raise unknown(node.id, list(c.columns), c.optional, position(c.text, node))
    c.names[node.id] = None
    return Made(_TYPES[column.dtype], partial(_read, column))


def _read(column: Column, row: Mapping[str, object]) -> Value:
    return plain(row, column)


def _constant(c: Compiler, node: ast.Constant) -> Made:
    value = node.value
    if isinstance(value, bool):
        return Made("bool", lambda row: value)
    if isinstance(value, int | float):
        number = logic.number(value)
        return Made("number", lambda row: number)
    if isinstance(value, str):
        return Made("string", lambda row: value)
    advice = "ask for null with isnull(column)" if value is None else "leave it out"
    raise c.refuse(node, "a number or a string", f"the constant {type(value).__name__}", advice)


def _unary(c: Compiler, node: ast.UnaryOp) -> Made:
    if isinstance(node.op, ast.Not):
        condition = c.want(node.operand, "bool", "after `not`")
        return Made("bool", lambda row: logic.negate(condition(row)))
    operation = logic.SIGNS.get(type(node.op))
    if operation is None:
        raise c.refuse(node, "one of - + not", f"the operator {_word_of(node.op)}", "leave it out")
    of = c.want(node.operand, "number", "after a sign")
    return Made("number", lambda row: logic.strict(operation, of(row)))


def _binary(c: Compiler, node: ast.BinOp) -> Made:
    operation = logic.ARITHMETIC.get(type(node.op))
    if operation is None:
        raise c.refuse(
            node, "one of + - * / **", f"the operator {_word_of(node.op)}", "leave it out"
        )
    left, right = (c.want(part, "number", "in arithmetic") for part in (node.left, node.right))
    return Made("number", lambda row: logic.strict(operation, left(row), right(row)))


def _junction(c: Compiler, node: ast.BoolOp) -> Made:
    word, join = ("and", logic.all_of) if isinstance(node.op, ast.And) else ("or", logic.any_of)
    parts = [c.want(part, "bool", f"beside `{word}`") for part in node.values]
    return Made("bool", lambda row: join(part(row) for part in parts))


def _comparison(c: Compiler, node: ast.Compare) -> Made:
    links = [
        _link(c, left, op, right)
        for left, op, right in zip(
            [node.left, *node.comparators], node.ops, node.comparators, strict=False
        )
    ]
    return (
        links[0]
        if len(links) == 1
        else Made("bool", lambda row: logic.all_of(link.of(row) for link in links))
    )


def _link(c: Compiler, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Made:
    if isinstance(op, ast.In | ast.NotIn):
        inside = _membership(c, left, right)
        return (
            inside
            if isinstance(op, ast.In)
            else Made("bool", lambda row: logic.negate(inside.of(row)))
        )
    operation = logic.COMPARISONS.get(type(op))
    if operation is None:
        raise c.refuse(
            right,
            "one of < <= > >= == != in",
            f"the operator {_word_of(op)} before the value",
            "ask for null with isnull(column)",
        )
    first, second = c.make(left), c.make(right)
    if first.kind != second.kind:
        raise c.refuse(
            right,
            f"a {first.kind} to compare with a {first.kind}",
            f"a {second.kind}",
            "compare values of one type; strings stand in quotes",
        )
    return Made("bool", lambda row: logic.strict(operation, first.of(row), second.of(row)))


def _membership(c: Compiler, left: ast.expr, right: ast.expr) -> Made:
    if isinstance(right, ast.Tuple):
        item = c.make(left)
        members = [
            c.want(member, item.kind, "in the tuple, as on the left of `in`")
            for member in right.elts
        ]
        return Made(
            "bool", lambda row: logic.member(item.of(row), [member(row) for member in members])
        )
    part = c.want(left, "string", "on the left of `in`")
    whole = c.want(right, "string", "or a tuple on the right of `in`")
    return Made("bool", lambda row: logic.strict(logic.within, part(row), whole(row)))


def _call(c: Compiler, node: ast.Call) -> Made:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in ("abs", "isnull") or len(node.args) != 1 or node.keywords:
        raise c.refuse(node, "abs(value) or isnull(value)", "another call", "leave it out")
    if name == "isnull":
        of = c.make(node.args[0]).of
        return Made("bool", lambda row: of(row) is None)
    size = c.want(node.args[0], "number", "in abs()")
    return Made("number", lambda row: logic.strict(abs, size(row)))


def _word_of(op: ast.AST) -> str:
    return type(op).__name__


_MAKERS: Mapping[type[ast.expr], Callable[..., Made]] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.BoolOp: _junction,
    ast.Compare: _comparison,
    ast.Call: _call,
}
