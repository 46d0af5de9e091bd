"""Places of the parts of a fused tensor: q, k, v; gate and up; every expert or head of a stack.

A vector is 1 x n, so the parts of a bias are columns. If a part cannot be determined, the tensor is
not split, and the note `unsplit` names the missing fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod

from ..geometry import Index
from ..notes import Note
from .experts import are_experts
from .facts import Facts
from .fused import EXPERTS, Answer, Lack, Parts, lack, needs, too_many
from .place import Place
from .roles import part_role, sets_of
from .splits import split

FUSED = {
    "attn.qkv": "q, k and v",
    "mlp.gate_up": "gate and up",
    "moe.expert.gate_up": "gate and up",
}
IN_EXPERTS = "its experts"
NEEDS_CONFIG = "not-split-needs-config", "put it beside the weights"
NEEDS_RULE = "not-split-needs-rule", "say how with --name-map"


def split_place(
    base: Place, scheme: str, name: str, dims: tuple[int, ...], facts: Facts
) -> tuple[Place, ...]:
    """One place per part, in stored order; the base alone where nothing is fused."""
    if 0 in dims:  # an empty tensor has no parts, however many its shape states
        return (base,)
    bias = base.kind == "bias"
    flat = scheme in ("flat_experts", "columns_experts")
    stacked = scheme == "experts" or (base.role.startswith("moe.expert.") and not flat)
    if stacked and len(dims) == (2 if bias else 3):
        missing = _no_stack(base.role, name, dims, facts)
        if missing:
            return _whole(base, missing, IN_EXPERTS)
        return _experts(base, scheme, name, dims, facts)
    if not scheme or len(dims) == 0:
        return (base,)
    answer = _fused(base, scheme, name, dims, facts)
    return _answered(base, answer, scheme, bias)


def _no_stack(role: str, name: str, dims: tuple[int, ...], facts: Facts) -> Lack | None:
    """Why the first dimension is not that of experts: too many, or an unproven number."""
    if dims[0] > EXPERTS:
        return too_many(dims[0])
    if role != "unknown" or are_experts(name, dims[0], facts):
        return None
    if stated := facts.number("experts"):
        template = "{lines} in the first dimension are not {experts} experts"
        return lack(template, lines=dims[0], experts=stated)
    return needs("num_experts")


def _answered(base: Place, answer: Answer, scheme: str, bias: bool) -> tuple[Place, ...]:
    """The parts that a scheme determines, or the whole."""
    if answer is None:
        return (base,)
    if isinstance(answer, Lack):
        parts = FUSED.get(base.role.removesuffix(".bias"), "its parts")
        return _whole(base, answer, IN_EXPERTS if "experts" in scheme else parts)
    return _each(base, answer, scheme, bias)


def _whole(base: Place, found: Lack, parts: str) -> tuple[Place, ...]:
    """The base alone, with a note on what would determine its parts."""
    code, cure = NEEDS_CONFIG if found.config else NEEDS_RULE
    template = f"{parts} stay together: {found.template}, {cure}"
    note = Note.of(code, template, tensor="", rows=(), **dict(found.values))
    return (replace(base, why=f"{base.why}; not split: {found.reason}", unsplit=note),)


def _fused(base: Place, scheme: str, name: str, dims: tuple[int, ...], facts: Facts) -> Answer:
    """The index sets of a scheme for a matrix or its bias."""
    if base.orientation == "unknown":
        return lack("needs the orientation, which neither config.json nor the shapes decide")
    across_columns = scheme.startswith("columns")
    module, _, _ = name.rpartition(".")
    if base.kind == "bias":
        if across_columns:
            return None  # a bias has an element per output, and this scheme cuts inputs
        return split(scheme, dims[-1], _across(name, base, facts), module, facts)
    outputs, inputs = _sides(base, dims)
    if across_columns:
        return split(scheme, inputs, outputs, module, facts)
    return split(scheme, outputs, inputs, module, facts)


def _sides(base: Place, dims: tuple[int, ...]) -> tuple[int, int]:
    """Outputs and inputs of a matrix, or of each expert of a stack."""
    if len(dims) == 3 and base.role.startswith("moe.expert."):
        _, outputs, inputs = dims
    elif base.transpose:
        *_, outputs, inputs = dims
    else:
        outputs, inputs = dims[0], prod(dims[1:])
    if base.transpose:
        return inputs, outputs
    return outputs, inputs


def _across(name: str, base: Place, facts: Facts) -> int:
    """Columns of the matrix that a bias belongs to: the side that is not as long as the bias."""
    dims, own = (
        facts.shapes.get(name.removesuffix("bias") + "weight", ()),
        facts.shapes.get(name, ()),
    )
    if len(dims) != 2 or not own or own[-1] not in dims:
        return 0
    if dims[0] == own[-1]:
        return dims[1]
    return dims[0]


def _each(base: Place, found: Parts, scheme: str, bias: bool) -> tuple[Place, ...]:
    """A place for each part: columns of a vector, else rows unless the scheme cuts columns."""
    by_columns = bias or scheme.startswith("columns")
    side = "cols" if by_columns else "rows"
    return tuple(_part(base, part, index, side, bias) for part, index in found)


def _part(base: Place, part: str, index: Index, side: str, bias: bool) -> Place:
    """One part: some roles have roles of their parts, such as q, k and v; else `part` has its word.

    So the q of a fused matrix has the place of a q that is stored alone.
    """
    whole = base.role.removesuffix(".bias")
    role = part_role(whole, part)
    if role:
        rows, columns = sets_of(role)
        word = base.part  # of an expert that is stored apart
    else:
        role = whole
        rows, columns = (base.in_set, "") if bias else (base.out_set, base.in_set)
        word = _dotted(base.part, part)
    if bias:
        role, rows, columns = f"{role}.bias", "", rows
    return replace(
        base,
        role=role,
        part=word,
        piece=part,
        out_set=rows,
        in_set=columns,
        rows=index if side == "rows" else base.rows,
        cols=index if side == "cols" else base.cols,
    )


def _dotted(*words: str) -> str:
    """The words that are not empty, with dots between."""
    return ".".join(word for word in words if word)


def _experts(
    base: Place, scheme: str, name: str, dims: tuple[int, ...], facts: Facts
) -> tuple[Place, ...]:
    bias = base.kind == "bias"
    answer = None
    if scheme not in ("", "experts"):
        answer = _fused(base, scheme, name, dims, facts)
    inner = _answered(base, answer, scheme, bias)
    return tuple(_expert(place, e, bias) for e in range(dims[0]) for place in inner)


def _expert(place: Place, expert: int, bias: bool) -> Place:
    """The place for one expert of a stack."""
    part = _dotted(str(expert), place.part)
    piece = _dotted(str(expert), place.piece)
    if bias:  # (E, n): the expert is a row of an ordinary matrix
        return replace(place, part=part, piece=piece, rows=Index(expert, 1))
    return replace(place, part=part, piece=piece, expert=expert)


def same_heads(
    made: dict[str, tuple[Place, ...]], dims: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[Place, ...]]:
    """If k and v are as wide as q, their index set is `heads`, not `kv_heads`."""
    wide = {
        (p.stack, p.layer, _outputs(p, dims[n]))
        for n, ps in made.items()
        for p in ps
        if p.role in _Q
    }
    if not wide:
        return made
    return {n: tuple(_on_heads(p, dims[n], wide) for p in ps) for n, ps in made.items()}


_Q = ("attn.q", "attn.q.bias")


def _on_heads(place: Place, dims: tuple[int, ...], wide: set[tuple[str, int | None, int]]) -> Place:
    if (
        "kv_heads" not in (place.out_set, place.in_set)
        or (place.stack, place.layer, _outputs(place, dims)) not in wide
    ):
        return place
    if place.out_set:
        return replace(place, out_set="heads")
    return replace(place, in_set="heads")


def _outputs(place: Place, dims: tuple[int, ...]) -> int:
    if place.kind == "bias":
        index = place.cols
    else:
        index = place.rows
    if index is not None:
        return index.size
    if not dims:
        return 0
    if place.transpose or len(dims) < 2:
        return dims[-1]
    return dims[0]
