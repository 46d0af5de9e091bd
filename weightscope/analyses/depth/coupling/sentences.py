"""One sentence for each kind of vectors: pairs beyond independent ones, the strongest three."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ....escape import escaped
from ....notes import Note
from .pairs import Pair

STRONGEST = 3
NAMED = 8  # names in a sentence on what is left out


def sentences(pairs: Sequence[Pair], kinds: Sequence[str], count: int) -> Iterator[str]:
    """`scales: 19 of 22 pairs exceed ...` for each kind; `count` correlations are a family."""
    for of in kinds:
        members = [pair for pair in pairs if pair.key.of == of]
        if members:
            yield _sentence(of, members, count)
        else:
            yield f"{of}: no pair of vectors that vary on one index set"


def _sentence(of: str, pairs: Sequence[Pair], count: int) -> str:
    alone = [pair for pair in pairs if pair.of_matrices]
    others = [pair for pair in pairs if not pair.of_matrices]
    counts = f"{_beyond(alone)} of {len(alone)} pairs of matrices"
    if others:
        counts += f" and {_beyond(others)} of {len(others)} with gains or biases"
    largest = [(abs(pair.largest.rho), pair.point(count)) for pair in pairs]
    family = sum(rho > point for rho, point in largest)
    named = [
        f"{escaped(pair.key.a)} with {escaped(pair.key.b)} {abs(pair.largest.rho):.3f}"
        for pair in pairs[:STRONGEST]
    ]
    return (
        f"{of}: {counts} exceed their 95% point, {family} of {len(pairs)} the family point; "
        f"strongest: {', '.join(named)}"
    )


def _beyond(pairs: Sequence[Pair]) -> int:
    """Pairs above the 95% point of one pair."""
    points = [pair.point(len(pair.correlations)) for pair in pairs]
    return sum(abs(p.largest.rho) > point for p, point in zip(pairs, points, strict=True))


def left_out(lacks: Mapping[tuple[str, str], Mapping[int, Note]]) -> Iterator[str]:
    """`left out: attn.q, attn.k: no data` for each reason."""
    by_reason: dict[str, list[str]] = {}
    for (stack, name), layers in lacks.items():
        for reason in dict.fromkeys(note.text for note in layers.values()):
            by_reason.setdefault(reason, []).append(f"{stack} {name}".strip())
    for reason, names in by_reason.items():
        named = [escaped(name) for name in names[:NAMED]]
        if len(names) > NAMED:
            named.append(f"{len(names) - NAMED} more")
        yield f"no pair with {', '.join(named)}: {escaped(reason)}"
