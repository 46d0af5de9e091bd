"""Three-valued logic and arithmetic that cannot fail: what the operators of an expression do with two values.

null is None. Every operator but `and`, `or`, `in` and isnull is strict: one null in, null out.
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
    return None if None in values else operation(*values)


def negate(value: Value) -> Value:
    """`not`, with not null = null."""
    return None if value is None else not value


def all_of(values: Iterable[Value]) -> Value:
    """Kleene's `and`: false wins, then null."""
    seen = list(values)
    return False if False in seen else None if None in seen else True


def any_of(values: Iterable[Value]) -> Value:
    """Kleene's `or`: true wins, then null."""
    seen = list(values)
    return True if True in seen else None if None in seen else False


def member(value: Value, members: Sequence[Value]) -> Value:
    """`in` a tuple: the `or` of its equalities."""
    return any_of(strict(operator.eq, value, other) for other in members)


def within(part: Any, whole: Any) -> bool:
    """`in` a string: whether it contains the part."""
    return part in whole


def number(value: int | float) -> int | float:
    """A literal, as a float where it is too large to be a count."""
    return value if isinstance(value, float) or abs(value) < EXACT else _float(value)


def divide(a: Any, b: Any) -> float:
    """a / b as IEEE 754 has it: a / 0 is an infinity of a's sign, 0 / 0 is NaN."""
    if b == 0:
        return (
            math.nan
            if a == 0 or math.isnan(a)
            else math.copysign(math.inf, a) * math.copysign(1.0, b)
        )
    return float(a) / float(b)


def power(a: Any, b: Any) -> float:
    """a ** b as C's pow: an overflow is inf, 0 to a negative power is inf, a negative number to a fraction is NaN."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        return math.inf if a == 0 else math.nan


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


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
