"""The operators of an expression: three-valued logic, and arithmetic that never raises.

null is None. Every operator but `and`, `or`, `in` and isnull is strict: null in, null out.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .values import Value

EXACT = 1 << 63  # whole numbers below it are compared exactly, others as floats


def strict(operation: Callable[..., Value], *values: Value) -> Value:
    """The operation on values; null where one of them is null.

    >>> strict(operator.lt, 1, 2), strict(operator.lt, None, 2)
    (True, None)
    """
    if None in values:
        return None
    return operation(*values)


def negate(value: Value) -> Value:
    """`not`; not null is null."""
    if value is None:
        return None
    return not value


def all_of(values: Iterable[Value]) -> Value:
    """Kleene's `and`: false wins, then null."""
    operands = list(values)
    if False in operands:
        return False
    if None in operands:
        return None
    return True


def any_of(values: Iterable[Value]) -> Value:
    """Kleene's `or`: true wins, then null."""
    operands = list(values)
    if True in operands:
        return True
    if None in operands:
        return None
    return False


def member(value: Value, members: Sequence[Value]) -> Value:
    """`in` a tuple: the `or` of its equalities."""
    equalities = [strict(operator.eq, value, other) for other in members]
    return any_of(equalities)


def within(part: Any, whole: Any) -> bool:
    """`in` a string: whether it contains the part."""
    return part in whole


def number(value: int | float) -> int | float:
    """A literal, as a float where it is too large to be a count."""
    if isinstance(value, float) or abs(value) < EXACT:
        return value
    return _float(value)


def divide(a: Any, b: Any) -> float:
    """a / b as IEEE 754 has it: a / 0 is an infinity of a's sign, 0 / 0 is NaN."""
    if b != 0:
        return float(a) / float(b)
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)  # -0.0 has a sign too


def power(a: Any, b: Any) -> float:
    """a ** b as C's pow, never raising.

    An overflow and 0 to a negative power are inf, a negative number to a fraction is NaN.
    """
    try:
        return math.pow(a, b)
    except OverflowError:
        odd = b % 2 == 1
        if a < 0 and odd:
            return -math.inf
        return math.inf
    except ValueError:
        if a == 0:
            return math.inf
        return math.nan


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        if value > 0:
            return math.inf
        return -math.inf


def _floats(operation: Callable[[float, float], float]) -> Callable[[Any, Any], float]:
    return lambda a, b: operation(float(a), float(b))


ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], float]] = {
    ast.Add: _floats(operator.add),
    ast.Sub: _floats(operator.sub),
    ast.Mult: _floats(operator.mul),
    ast.Div: divide,
    ast.Pow: power,
}
SIGNS: Mapping[type[ast.unaryop], Callable[[Any], Value]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
