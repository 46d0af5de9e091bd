"""Orientation of a stack of experts (experts, a, b), which equal names do not determine.

Evidence is what has the length of one side: a bias (experts, outputs); the width of the residual
stream, which the router beside the stack or the model has; gate and up side by side, which have
twice the lines that down reads. w1, w2 and w3 alone are no evidence: (F, D) and (D, F) may be
(out, in) twice, or (in, out) twice.
"""

from __future__ import annotations

from .facts import Facts
from .roles import sets_of

_ROUTERS = ("router", "gate", "router.layer", "router.gate")
_OTHERS = {
    "gate_up_proj": "down_proj",
    "down_proj": "gate_up_proj",
    "input_linear": "output_linear",
    "output_linear": "input_linear",
}


def are_experts(name: str, number: int, facts: Facts) -> bool:
    """Whether config.json, or the number of rows of the router, is this number."""
    rows_of_router, _ = _router(name, facts)
    return number in (facts.number("experts"), rows_of_router)


def by_evidence(role: str, name: str, dims: tuple[int, ...], facts: Facts) -> str:
    """Orientation of the last two dimensions; unknown without evidence, or where it disagrees."""
    if len(dims) != 3 or dims[1] == dims[2]:
        return "unknown"
    votes = {
        _by_bias(name, dims, facts),
        _by_width(role, dims, _router_width(name, dims[0], facts)),
        _by_width(role, dims, facts.hidden),
        _by_width(role, dims, _shared_width(role, name, dims, facts)),
    }
    votes.discard("")
    if len(votes) == 1:
        return votes.pop()
    return "unknown"


def _by_width(role: str, dims: tuple[int, ...], width: int) -> str:
    """Orientation by the side that is as wide as the residual stream; "" if it does not decide."""
    writes, reads = sets_of(role)
    if width not in dims[1:] or (writes == "residual") == (reads == "residual"):
        return ""
    last = dims[2] == width
    return "out_in" if last == (reads == "residual") else "in_out"


def _by_bias(name: str, dims: tuple[int, ...], facts: Facts) -> str:
    """A bias is (experts, outputs)."""
    stem = name.removesuffix(".weight")
    bias = facts.shapes.get(f"{stem}.bias") or facts.shapes.get(f"{stem}_bias") or ()
    if len(bias) != 2 or bias[0] != dims[0] or bias[1] not in dims[1:]:
        return ""
    if bias[1] == dims[1]:
        return "out_in"
    return "in_out"


def _router_width(name: str, experts: int, facts: Facts) -> int:
    """The width of the router's input; 0 if the router is not (experts, width)."""
    rows, width = _router(name, facts)
    if rows == experts != width:
        return width
    return 0


def _router(name: str, facts: Facts) -> tuple[int, int]:
    """Rows and columns of the router beside the stack, or one module up; zeros without one."""
    module = name.removesuffix(".weight").rpartition(".")[0]
    for parent in (module, module.rpartition(".")[0]):
        for router in _ROUTERS:
            dims = facts.shapes.get(f"{parent}.{router}.weight", ())
            if len(dims) == 2:
                return dims[0], dims[1]
    return 0, 0


def _shared_width(role: str, name: str, dims: tuple[int, ...], facts: Facts) -> int:
    """The side that gate_up and down share, where the other one is twice that of down; else 0."""
    stem = name.removesuffix(".weight")
    ending = name[len(stem) :]
    module, _, word = stem.rpartition(".")
    other_name = f"{module}.{_OTHERS.get(word, '')}{ending}"
    other = facts.shapes.get(other_name, ())
    if len(other) != 3 or other[0] != dims[0]:
        return 0
    if role == "moe.expert.down":
        (_, first, second), down = other, dims
    else:
        (_, first, second), down = dims, other
    for lines, width in (first, second), (second, first):
        # gate and up side by side have twice the lines that down reads
        if sorted(down[1:]) == sorted((width, lines / 2)):
            return width
    return 0
