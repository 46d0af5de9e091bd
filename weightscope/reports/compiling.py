"""Compiles the syntax tree of an expression to a closure of known type.

Node types that are not in `_MAKERS` are refused. The types are number, string and bool, known
before any row is read: comparing a string with a number is an error, not a silent non-match.
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
class Compiled:
    """A compiled part of an expression: its type and its value for a row."""

    kind: Type
    of: Of


def refusal(text: str, node: ast.expr, expected: str, found: str, advice: str) -> UsageError:
    """The error for a part of an expression, with its position in characters."""
    where = f"{position(text, node)} of '{escaped(text)}'"
    return UsageError(f"expected {expected}", f"found {found}{where}", advice)


def position(text: str, node: ast.expr) -> str:
    """Where a node begins, counted in characters from 1."""
    lines = text.strip().splitlines(keepends=True)
    stripped = len(text) - len(text.lstrip())
    before = sum(len(line) for line in lines[: node.lineno - 1])
    # Python's parser counts columns in bytes of UTF-8
    line = lines[node.lineno - 1].encode(errors="replace")
    inside = len(line[: node.col_offset].decode(errors="replace"))
    return f" at position {stripped + before + inside + 1}"


@dataclass
class Compiler:
    """Compiles nodes to closures and collects the columns that they read."""

    text: str
    columns: Mapping[str, Column]
    optional: Mapping[str, str]
    names: dict[str, None] = field(default_factory=dict)

    def make(self, node: ast.expr) -> Compiled:
        """The closure of a node; other types of nodes are refused with their position."""
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
        compiled = self.make(node)
        if compiled.kind != kind:
            raise self.refuse(node, f"a {kind} {of}", f"a {compiled.kind}", f"give a {kind}")
        return compiled.of


def _word(node: ast.expr) -> str:
    """The name of a type of node in a message."""
    words = {
        ast.Attribute: "dot (attribute)",
        ast.Subscript: "subscript",
        ast.Tuple: "tuple outside `in`",
        ast.JoinedStr: "formatted string",
    }
    return words.get(type(node), type(node).__name__.lower())


def _name(c: Compiler, node: ast.Name) -> Compiled:
    column = c.columns.get(node.id)
    if column is None:
        raise unknown(node.id, list(c.columns), c.optional, position(c.text, node))
    c.names[node.id] = None
    return Compiled(_TYPES[column.dtype], partial(_read, column))


def _read(column: Column, row: Mapping[str, object]) -> Value:
    return plain(row, column)


def _constant(c: Compiler, node: ast.Constant) -> Compiled:
    value = node.value
    if isinstance(value, bool):
        return Compiled("bool", lambda row: value)
    if isinstance(value, int | float):
        number = logic.number(value)
        return Compiled("number", lambda row: number)
    if isinstance(value, str):
        return Compiled("string", lambda row: value)
    advice = "test for null with isnull(column)" if value is None else "leave it out"
    raise c.refuse(node, "a number or a string", f"the constant {type(value).__name__}", advice)


def _unary(c: Compiler, node: ast.UnaryOp) -> Compiled:
    if isinstance(node.op, ast.Not):
        condition = c.want(node.operand, "bool", "after `not`")
        return Compiled("bool", lambda row: logic.negate(condition(row)))
    operation = logic.SIGNS.get(type(node.op))
    if operation is None:
        raise c.refuse(node, "one of - + not", f"the operator {_word_of(node.op)}", "leave it out")
    of = c.want(node.operand, "number", "after a sign")
    return Compiled("number", lambda row: logic.strict(operation, of(row)))


def _binary(c: Compiler, node: ast.BinOp) -> Compiled:
    operation = logic.ARITHMETIC.get(type(node.op))
    if operation is None:
        raise c.refuse(
            node, "one of + - * / **", f"the operator {_word_of(node.op)}", "leave it out"
        )
    left = c.want(node.left, "number", "in arithmetic")
    right = c.want(node.right, "number", "in arithmetic")
    return Compiled("number", lambda row: logic.strict(operation, left(row), right(row)))


def _junction(c: Compiler, node: ast.BoolOp) -> Compiled:
    if isinstance(node.op, ast.And):
        word, join = "and", logic.all_of
    else:
        word, join = "or", logic.any_of
    parts = [c.want(part, "bool", f"beside `{word}`") for part in node.values]
    return Compiled("bool", lambda row: join(part(row) for part in parts))


def _comparison(c: Compiler, node: ast.Compare) -> Compiled:
    # a < b < c is (a < b) and (b < c)
    links = []
    left = node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        links.append(_link(c, left, op, right))
        left = right
    if len(links) == 1:
        return links[0]
    return Compiled("bool", lambda row: logic.all_of(link.of(row) for link in links))


def _link(c: Compiler, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Compiled:
    if isinstance(op, ast.In | ast.NotIn):
        inside = _membership(c, left, right)
        if isinstance(op, ast.In):
            return inside
        return Compiled("bool", lambda row: logic.negate(inside.of(row)))
    operation = logic.COMPARISONS.get(type(op))
    if operation is None:
        raise c.refuse(
            right,
            "one of < <= > >= == != in",
            f"the operator {_word_of(op)} before the value",
            "test for null with isnull(column)",
        )
    first, second = c.make(left), c.make(right)
    if first.kind != second.kind:
        raise c.refuse(
            right,
            f"a {first.kind} to compare with a {first.kind}",
            f"a {second.kind}",
            "compare values of one type; quote strings",
        )
    return Compiled("bool", lambda row: logic.strict(operation, first.of(row), second.of(row)))


def _membership(c: Compiler, left: ast.expr, right: ast.expr) -> Compiled:
    if isinstance(right, ast.Tuple):
        item = c.make(left)
        expected = "in the tuple, as on the left of `in`"
        members = [c.want(member, item.kind, expected) for member in right.elts]

        def is_member(row: Mapping[str, object]) -> Value:
            value = item.of(row)
            options = [member(row) for member in members]
            return logic.member(value, options)

        return Compiled("bool", is_member)
    part = c.want(left, "string", "on the left of `in`")
    whole = c.want(right, "string", "or a tuple on the right of `in`")
    return Compiled("bool", lambda row: logic.strict(logic.within, part(row), whole(row)))


def _call(c: Compiler, node: ast.Call) -> Compiled:
    name = ""
    if isinstance(node.func, ast.Name):
        name = node.func.id
    if name not in ("abs", "isnull") or len(node.args) != 1 or node.keywords:
        raise c.refuse(node, "abs(value) or isnull(value)", "another call", "leave it out")
    if name == "isnull":
        of = c.make(node.args[0]).of
        return Compiled("bool", lambda row: of(row) is None)
    size = c.want(node.args[0], "number", "in abs()")
    return Compiled("number", lambda row: logic.strict(abs, size(row)))


def _word_of(op: ast.AST) -> str:
    return type(op).__name__


_MAKERS: Mapping[type[ast.expr], Callable[..., Compiled]] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.BoolOp: _junction,
    ast.Compare: _comparison,
    ast.Call: _call,
}
