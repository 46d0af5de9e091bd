"""The sentences before the table: relation, kind of change, counts, and what moved most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf, sqrt

from ...sketches.pair_record import PairMoments
from .change import BY_STATUS, change
from .facts import Facts
from .relation import relation
from .request import COUNTED

MOST = 3  # roles and layers in a sentence


def verdict(facts: Sequence[Facts], has_change: bool) -> Iterator[str]:
    """Sentences about all pairs, whatever rows are shown.

    Without `has_change` the kind of change is stated only where statuses alone decide it.
    """
    found = relation(facts)
    if found:
        matrices = "matrix" if found.matrices == 1 else "matrices"
        rotated = f", {found.rotated} of them rotated" if found.rotated else ""
        yield (
            f"{found.name}: median cosine {found.cosine:.3f} over {found.matrices} {matrices}"
            f"{rotated} (independent trainings: within 0.03 of 0)"
        )
    counts = counted(facts)
    if not counts:
        return
    kind = change(facts, found.name if found else None)
    if kind and (has_change or kind.name in BY_STATUS):
        yield f"change {kind.name}: {kind.reason}"
    yield "; ".join(part for part in (counts, _changed_share(facts), _rotation(facts)) if part)
    moved = _moved(facts)
    if moved:
        yield f"moved most, by relative change: {moved}"


def counted(facts: Sequence[Facts]) -> str:
    """The number of tensors of each status, without zeros."""
    counter = Counter(f.status for f in facts)
    words = [f"{counter[name]} {name}" for name in COUNTED if counter[name]]
    if counter[None] and len(words):
        words.append(f"{counter[None]} not measured")
    return ", ".join(words)


def _changed_share(facts: Sequence[Facts]) -> str:
    """The share of the compared parameters that differ."""
    compared = [f for f in facts if f.changed_share is not None]
    total = sum(f.pair.params for f in compared)
    if not total:
        return ""
    changed = sum((f.changed_share or 0.0) * f.pair.params for f in compared)
    return f"{changed / total:.1%} of the parameters differ"


def _rotation(facts: Sequence[Facts]) -> str:
    """The rotation of all matrices together, and of all tensors together."""
    words = []
    for name, chosen in (
        ("the matrices", [f for f in facts if f.is_matrix]),
        ("all tensors", facts),
    ):
        rotation = summed(chosen).rotation
        if rotation is not None:
            words.append(f"{rotation:.3g} of {name}")
    return f"rotation {', '.join(words)}" if words else ""


def summed(facts: Iterable[Facts]) -> PairMoments:
    """The moments of several pairs together."""
    total = PairMoments()
    for f in facts:
        if f.moments is not None:
            total = total + f.moments
    return total


def _moved(facts: Sequence[Facts]) -> str:
    """The three roles, and the three layers, of the largest relative change."""
    roles = _largest(facts, lambda f: f.pair.place.role)
    layers = _largest(facts, _layer)
    parts = [", ".join(f"{name} {relative:.3g}" for name, relative in roles)]
    if layers:
        parts.append(", ".join(f"layer {name} {relative:.3g}" for name, relative in layers))
    return "; ".join(part for part in parts if part)


def _layer(f: Facts) -> str | None:
    place = f.pair.place
    if place.layer is None:
        return None
    return f"{place.stack} {place.layer}".strip()


def _largest(facts: Sequence[Facts], key: Callable[[Facts], str | None]) -> list[tuple[str, float]]:
    """Keys with the largest |D|/|A| of their tensors together; unchanged ones are left out."""
    groups: dict[str, list[Facts]] = {}
    for f in facts:
        name = key(f)
        if name is not None and f.moments is not None:
            groups.setdefault(name, []).append(f)
    relative = []
    for name, members in groups.items():
        moments = summed(members)
        if moments.aa > 0 and 0 < moments.dd / moments.aa < inf:
            relative.append((name, sqrt(moments.dd / moments.aa)))
    relative.sort(key=lambda entry: -entry[1])
    return relative[:MOST]
