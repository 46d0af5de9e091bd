"""The kind of change of a role, a group or a whole model, with the numbers that decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..collapse import ranges
from .common_lines import COMMON_LINES
from .facts import Facts
from .relation import relation
from .request import UNCHANGED

FEW_ROWS = 0.05  # share of changed rows of a table up to which they are few
TARGETED = 0.5  # share of roles or of layers up to which a change is targeted
MOST = 0.9  # share of the changed parameters that decides
HALF = 0.5  # share of parameters without a partner from which it is another architecture
TABLES = ("embed", "head")  # roles whose rows are tokens
BY_STATUS = ("identical", "retyped", "other_architecture")  # kinds that need no other numbers
NAMES = 3  # roles in a sentence


@dataclass(frozen=True)
class Change:
    """The kind of change, and its reason as a sentence."""

    name: str
    reason: str


def change(facts: Sequence[Facts], of_all: str | None) -> Change | None:
    """The kind of change of some pairs; None where it is not known, since they were not measured.

    `of_all` is the relation of the models, for pairs without a matrix. The first that holds:
    other_architecture (half of the parameters have no partner), identical, retyped, retrained (the
    matrices are unrelated), undecided, few_rows (at most 5% of the rows of tables changed),
    low_rank, targeted (at most half of the roles or layers changed), broad. A tensor without a
    partner and one of another shape count as changed where no other did.
    """
    weights = [f for f in facts if not f.is_buffer] or list(facts)
    known = [f for f in weights if f.status is not None]
    if not known:
        return None
    apart = _unpaired(known)
    if apart is not None:
        return apart
    pairs = [f for f in known if f.pair.is_paired]
    changed = [f for f in pairs if _is_changed(f)]
    if not changed:
        if len(known) < len(weights):
            return None  # a tensor that was not measured may differ
        buffers = [f for f in facts if f.is_buffer and f.status == "changed"]
        others = [f for f in known if f.status not in UNCHANGED] + buffers
        return _beside(others, [*known, *buffers]) if others else _unchanged(pairs)
    found = relation(weights)
    related = found.name if found else of_all
    if related == "undecided" and of_all == "unrelated":
        related = of_all  # few or small matrices: their cosines are noise
    if related in ("unrelated", "undecided"):
        name = "retrained" if related == "unrelated" else "undecided"
        cosine = f"median cosine {found.cosine:.3f}" if found else f"the models are {related}"
        return Change(name, cosine)
    return _few_rows(changed) or _low_rank(changed) or _spread(changed, pairs)


def _is_changed(f: Facts) -> bool:
    """Whether a pair differs; of an extended vocabulary its common rows."""
    if f.pair.rule and f.changed_share == 0:
        return False
    return f.status not in UNCHANGED


def _unpaired(known: Sequence[Facts]) -> Change | None:
    """other_architecture, if half of the parameters of either side have no partner."""
    for status, side in (("removed", "A"), ("added", "B")):
        alone = sum(f.pair.params for f in known if f.status == status)
        paired = sum(f.pair.params for f in known if f.pair.is_paired)
        other_shapes = sum(
            f.pair.params for f in known if f.status == "reshaped" and not f.pair.rule
        )
        total = alone + paired
        if total and alone + other_shapes >= HALF * total:
            share = (alone + other_shapes) / total
            lacks = f"{share:.0%} of the parameters of {side} have no partner"
            if other_shapes:
                lacks += " of their shape"
            return Change("other_architecture", lacks)
    return None


def _unchanged(known: Sequence[Facts]) -> Change:
    how = " under the rule" if any(f.rule for f in known) else ""
    retyped = sum(f.status == "retyped" for f in known)
    if retyped:
        return Change("retyped", f"{retyped} of {len(known)} tensors equal after rounding{how}")
    if len(known) == 1:
        return Change("identical", f"the only tensor is equal{how}")
    return Change("identical", f"all {len(known)} tensors are equal{how}")


def _beside(others: Sequence[Facts], known: Sequence[Facts]) -> Change:
    """The kind where all weights that are compared are equal: others are new, or missing."""
    if all(f.is_buffer for f in others):
        reason = f"all weights are equal; changed buffers: {len(others)}"
    else:
        count = f"{len(others)} of {len(known)}"
        reason = f"{count} tensors added, removed or reshaped, the others equal"
    rows, height = sum(_left_out(f) for f in others), sum(f.height for f in others)
    extended = all(f.pair.rule and _is_table(f) for f in others)
    if extended and rows <= FEW_ROWS * (height + rows):
        return Change("few_rows", f"{rows:,} rows of tables added or removed, the others equal")
    return Change(_spread(others, known).name, reason)


def _left_out(f: Facts) -> int:
    """Rows of a table in A or in B that the other does not have."""
    notes = [note for note in f.pair.notes if note.code == COMMON_LINES]
    return sum(int(note.value("in_a")) + int(note.value("in_b")) for note in notes)


def _few_rows(changed: Sequence[Facts]) -> Change | None:
    """few_rows: nearly all rows of every changed tensor are equal."""
    rows = height = 0
    for f in changed:
        if not _is_table(f) or f.changed_rows is None:
            return None
        rows += f.changed_rows
        height += f.height
    if not height or rows > FEW_ROWS * height:
        return None
    return Change("few_rows", f"{rows:,} of {height:,} rows of tables changed")


def _is_table(f: Facts) -> bool:
    """Whether its rows are tokens."""
    place = f.pair.place
    return f.height > 1 and (place.kind == "embedding" or place.role in TABLES)


def _low_rank(changed: Sequence[Facts]) -> Change | None:
    """low_rank: the changes of nearly all changed parameters are matrices of low rank."""
    total = sum(f.pair.params for f in changed)
    low = sum(f.pair.params for f in changed if f.low_rank)
    if not total or low < MOST * total:
        return None
    count = sum(bool(f.low_rank) for f in changed)
    return Change("low_rank", f"the changes of {count} of {len(changed)} tensors have a low rank")


def _spread(changed: Sequence[Facts], known: Sequence[Facts]) -> Change:
    """targeted: few roles or few layers hold the change; else broad."""
    roles, all_roles = _roles(changed), _roles(known)
    layers, all_layers = _layers(changed), _layers(known)
    if len(all_roles) > 1 and len(roles) <= TARGETED * len(all_roles):
        names = ", ".join(sorted(roles)[:NAMES])
        more = f" and {len(roles) - NAMES} more" if len(roles) > NAMES else ""
        return Change("targeted", f"{len(roles)} of {len(all_roles)} roles changed: {names}{more}")
    outside = any(f.pair.place.layer is None for f in changed)
    if len(all_layers) > 1 and len(layers) <= TARGETED * len(all_layers) and not outside:
        numbers = ranges(sorted({layer for _, layer in layers}))
        return Change("targeted", f"{len(layers)} of {len(all_layers)} layers changed: {numbers}")
    share = len(changed) / len(known)
    return Change("broad", f"{len(changed)} of {len(known)} tensors changed ({share:.0%})")


def _roles(facts: Sequence[Facts]) -> set[str]:
    return {f.pair.place.role for f in facts}


def _layers(facts: Sequence[Facts]) -> set[tuple[str, int]]:
    """Stack and layer, of tensors that stand in one."""
    layers = set()
    for f in facts:
        if f.pair.place.layer is not None:
            layers.add((f.pair.place.stack, f.pair.place.layer))
    return layers
