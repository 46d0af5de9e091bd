"""The orientation of matrices whose names do not determine it: Conv1D or Linear.

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
    by_tower = {}
    for tower, of_tower in votes.items():
        by_tower[tower] = "unknown"
        if len(of_tower) == 1:
            (by_tower[tower],) = of_tower
    return by_tower


def _vote(name: str, facts: Facts) -> str:
    dims = facts.shapes.get(name, ())
    bias = facts.shapes.get(name.removesuffix("weight") + "bias", ())
    if len(dims) != 2 or dims[0] == dims[1]:
        return ""
    if len(bias) == 1 and bias[0] in dims:
        if bias[0] == dims[0]:
            return "out_in"
        return "in_out"
    long_side = "in_out"
    if dims[0] > dims[1]:
        long_side = "out_in"
    if name.endswith(("c_attn.weight", "c_fc.weight")):
        return long_side
    return ""
