"""Places of names that no rule matches: unknown roles, kinds by rank and last word.

A vector beside a `running_mean` belongs to a batch norm, whatever the name of its module. Shapes
may prove a convolution or a linear layer (operations.py), whose bias has its role. Other vectors
are `bias` if their name ends in bias or beta (they are added), else `norm` (gains, slopes and
temperatures multiply, as a norm does). Three and more dimensions are `conv` if the trailing ones
are those of a kernel; a stack of experts is none, however narrow it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .operations import KERNEL, Operations
from .place import Place
from .roles import kind_of

_FLAT = re.compile(r"(?:.*\.)?_?flat_param(?:_\d+)?")  # of FSDP: weights of all kinds, no norm
_STACK = re.compile(r"(?:^|\.)(?:\w*experts|switch_mlp)(?:$|\.(?!\d+\.)(?!.*conv))")


def unmatched(
    name: str,
    dims: tuple[int, ...],
    shapes: Mapping[str, tuple[int, ...]],
    operations: Operations | None = None,
) -> Place:
    """The place of an unknown name; `operations` are those of the shapes, made once for all names.

    >>> unmatched("a.thing", (8, 8), {}).role
    'unknown'
    >>> unmatched("a.1.weight", (8,), {"a.1.running_mean": (8,)}).role
    'norm'
    """
    module, _, last = name.rpartition(".")
    if f"{module}.running_mean" in shapes and len(dims) == 1 and last in ("weight", "bias"):
        bias = last == "bias"
        return Place(
            "norm.bias" if bias else "norm", "bias" if bias else "norm", why="beside a running_mean"
        )
    role, stored = (operations or Operations(shapes)).of(name)
    if role and last == "weight":
        return _operation(role, stored)
    if role and len(dims) == 1:
        return Place(f"{role}.bias", "bias", why=f"beside a weight that is {role}")
    kind = unknown_kind(name, dims)
    role = "bias" if kind == "bias" else "unknown"
    is_unsure = kind == "matrix" and len(dims) > 1
    return Place(
        role,
        kind,
        orientation="unknown" if is_unsure else "out_in",
        why="no rule matches the name",
    )


def _operation(role: str, stored: str) -> Place:
    why = f"no rule matches the name; {role} by the shapes of weight and bias"
    return Place(role, kind_of(role), orientation=stored, transpose=stored == "in_out", why=why)


def unknown_kind(name: str, dims: tuple[int, ...]) -> str:
    """The kind that rank and last word allow."""
    if len(dims) <= 1:
        return "matrix" if _FLAT.fullmatch(name) else vector_kind(name)
    if len(dims) == 2 or max(dims[2:]) > KERNEL:
        return "matrix"
    if len(dims) == 3 and _STACK.search(name):
        return "matrix"
    return "conv"


def vector_kind(name: str) -> str:
    """`bias` where the name ends so, else `norm`."""
    if name.lower().endswith(("bias", "beta")):
        return "bias"
    return "norm"
