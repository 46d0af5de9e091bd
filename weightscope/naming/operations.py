"""The operation of a module that no rule matches, if the shapes of its weight and bias prove it.

Four and five dimensions with the last ones of a kernel are a convolution; three only in a module of
that name, since a stack of experts has three as well. Two dimensions beside a vector as long as one
of them are a linear layer with outputs on that side; a square one follows the others of the file. A
matrix alone may be an embedding and proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

KERNEL = 31  # RepLKNet's 31 x 31 is the largest kernel in use
_CONV = re.compile(r"(?:.*[._])?(?:conv|convolution)s?(?:\d{1,2}d?)?(?:[._].*)?", re.IGNORECASE)
Shapes = Mapping[str, tuple[int, ...]]


class Operations:
    """The operations of the modules of one file, by their shapes."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes

    def of(self, name: str) -> tuple[str, str]:
        """Role of a module's weight and its orientation; ("", "") if the shapes prove nothing.

        >>> Operations({"a.weight": (3, 8), "a.bias": (3,), "0.weight": (8, 3, 3, 3)}).of("a.bias")
        ('linear', 'out_in')
        """
        module, _, last = name.rpartition(".")
        if last not in ("weight", "bias"):
            return "", ""
        prefix = name.removesuffix(last)
        weight, bias = self.shapes.get(prefix + "weight", ()), self.shapes.get(prefix + "bias", ())
        if is_kernel(module, weight):
            return "conv", "out_in"
        stored = self._linear(weight, bias)
        return ("linear", stored) if stored else ("", "")

    def _linear(self, weight: tuple[int, ...], bias: tuple[int, ...]) -> str:
        if len(weight) == 2 and weight[0] == weight[1] and bias == weight[:1]:
            return self._square
        return _outputs(weight, bias)

    @cached_property
    def _square(self) -> str:
        """The orientation of a square matrix: (out, in) if all provable ones are, else unknown.

        One file may have modules that store (in, out) beside layers of torch, so that nothing
        proves such a square one.
        """
        votes = set()
        for name, weight in self.shapes.items():
            if name.endswith("weight"):
                bias = self.shapes.get(name.removesuffix("weight") + "bias", ())
                votes.add(_outputs(weight, bias))
        votes.discard("")
        return "out_in" if votes == {"out_in"} else "unknown"


def _outputs(weight: tuple[int, ...], bias: tuple[int, ...]) -> str:
    """Orientation by the side that is as long as the bias; "" for both sides or neither."""
    if len(weight) != 2 or len(bias) != 1 or bias[0] not in weight or weight[0] == weight[1]:
        return ""
    if bias[0] == weight[0]:
        return "out_in"
    return "in_out"


def is_kernel(module: str, dims: tuple[int, ...]) -> bool:
    """Whether a weight is that of a convolution."""
    if not 3 <= len(dims) <= 5 or max(dims[2:]) > KERNEL:
        return False
    return len(dims) > 3 or _CONV.fullmatch(module) is not None
