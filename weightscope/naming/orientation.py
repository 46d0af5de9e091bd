"""Which way a matrix is stored where its name does not tell: Conv1D or Linear.

c_attn, c_fc and c_proj are Conv1D (in, out) in GPT-2 and nn.Linear (out, in) elsewhere; the long
side of c_attn is its outputs, and a bias has the length of the outputs; the square c_proj follows
its siblings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .facts import Facts


def conv1d(names: Iterable[tuple[str, str]], facts: Facts) -> dict[str, str]:
    """Orientation per tower, from (tower, name) of all weights that may be a Conv1D.

    It is unknown if the votes disagree.
    """
    votes: dict[str, set[str]] = defaultdict(set)
    for tower, name in names:
        votes[tower] |= {_vote(name, facts)} - {""}
    return {tower: next(iter(v)) if len(v) == 1 else "unknown" for tower, v in votes.items()}


def _vote(name: str, facts: Facts) -> str:
    dims = facts.shapes.get(name, ())
    bias = facts.shapes.get(name.removesuffix("weight") + "bias", ())
    if len(dims) != 2 or dims[0] == dims[1]:
        return ""
    if len(bias) == 1 and bias[0] in dims:
        return "out_in" if bias[0] == dims[0] else "in_out"
    long_side = "out_in" if dims[0] > dims[1] else "in_out"
    if name.endswith(("c_attn.weight", "c_fc.weight")):
        return long_side
    return ""
