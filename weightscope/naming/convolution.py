"""Orientation of convolutions: transposed ones are stored (in, out / groups, k...).

All others are stored (out, in / groups, k...). The bias proves the orientation, and so does the
batch norm that is next in a numbered sequence: both have the length of the outputs. A name is only
a hint, since code calls both kinds `upconv`. Without proof a convolution with the hint has an
unknown orientation, and one without the hint is ordinary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Shapes = Mapping[str, tuple[int, ...]]
Answer = tuple[str, int]  # orientation, groups of a transposed convolution

_RANKS = (3, 4, 5)
_KERNELS = re.compile(r"\.(?:weight|weight_v|weight_orig|parametrizations\.weight\.original1?)$")
_HINT = re.compile(
    r"deconv|conv_?transpose|conv_?tr(?:ans)?(?![a-z])|trans(?:posed?)?_?conv"
    r"|(?<![a-z])up_?conv",  # group_conv is not transposed
    re.IGNORECASE,
)

ORDINARY: Answer = "out_in", 1
UNKNOWN: Answer = "unknown", 1


def convolution(name: str, dims: tuple[int, ...], shapes: Shapes) -> Answer:
    """The orientation and the groups of the kernels of a name.

    >>> convolution("up.weight", (24, 8, 4, 4), {"up.bias": (8,)})
    ('in_out', 1)
    >>> convolution("up.weight", (24, 8, 4, 4), {})
    ('out_in', 1)
    >>> convolution("deconv.weight", (24, 8, 4, 4), {})
    ('unknown', 1)
    """
    if len(dims) not in _RANKS or 0 in dims or not _KERNELS.search(name):
        return ORDINARY
    module = _KERNELS.sub("", name)
    hinted = _is_hint(module)
    found = _by_bias(module, dims, shapes, hinted) or _by_norm(module, dims, shapes, hinted)
    if found:
        return found
    return UNKNOWN if hinted else ORDINARY


def _is_hint(module: str) -> bool:
    """Whether the last word of the module, numbers aside, names a transposed convolution."""
    words = (word for word in reversed(module.split(".")) if not word.isdecimal())
    return bool(_HINT.search(next(words, "")))


def _by_bias(module: str, dims: tuple[int, ...], shapes: Shapes, hinted: bool) -> Answer | None:
    """An ordinary convolution has a bias of dims[0], a transposed one of dims[1] for each group."""
    outputs = _length(f"{module}.bias", shapes)
    first, second = dims[:2]
    groups, left = divmod(outputs, second)
    may_be_groups = not left and groups > 0 and first % groups == 0
    if not outputs or outputs == first == second:
        return None
    if outputs == first:  # 8 to 24 channels, or 24 to 24 in three groups
        if hinted and may_be_groups and second > 1:
            return UNKNOWN
        return ORDINARY
    if not may_be_groups:
        return None
    if groups == 1 or hinted:
        return ("in_out", groups)
    return UNKNOWN


def _by_norm(module: str, dims: tuple[int, ...], shapes: Shapes, hinted: bool) -> Answer | None:
    """The batch norm of the next number; without the hint the numbers may not be a sequence."""
    parent, _, number = module.rpartition(".")
    if not number.isdecimal() or len(number) > 6:
        return None
    if parent:
        following = f"{parent}.{int(number) + 1}"
    else:
        following = str(int(number) + 1)
    outputs = _length(f"{following}.running_mean", shapes)
    first, second = dims[:2]
    if first == second or outputs not in (first, second):
        return None
    if outputs == first:
        if hinted and first % second == 0 and second > 1:
            return UNKNOWN
        return ORDINARY
    return ("in_out", 1) if hinted else UNKNOWN


def _length(name: str, shapes: Shapes) -> int:
    """Elements of a vector, 0 where there is none."""
    dims = shapes.get(name, ())
    if len(dims) == 1:
        return dims[0]
    return 0
