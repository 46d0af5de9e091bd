"""Sentences about a set: the angle of each two tunings over the matrices and over all tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from ....escape import escaped
from ....sketches.vector_record import VectorProducts
from ....statistics.pairs import directions
from ..facts import MATRICES
from ..many.bundle import Bundle
from .vectors import Vectors

MOST = 10  # pairs with a sentence


def sentences(measured: Sequence[tuple[Bundle, Vectors]], names: Sequence[str]) -> Iterator[str]:
    """`x.pt and y.pt: cosine 0.752, 41.3 degrees over the matrices, 0.788 over all tensors`."""
    pairs = list(combinations(range(1, len(names)), 2))
    for a, b in pairs[:MOST]:
        parts = []
        for words, chosen in (
            ("the matrices", [pair for pair in measured if pair[0].place.kind in MATRICES]),
            ("all tensors", measured),
        ):
            text = _direction(summed(chosen, (a, b)))
            if text:
                parts.append(f"{text} over {words}")
        found = "; ".join(parts) or _without(summed(measured, (a, b)))
        yield f"{escaped(names[a])} and {escaped(names[b])}: {found}"
    if len(pairs) > MOST:
        yield f"{len(pairs) - MOST} further pairs in the rows"


def _without(products: VectorProducts | None) -> str:
    """Why two tunings have no direction."""
    if products is not None and not products.both.diagonal().all():
        return "no direction, a task vector is 0"
    return "no task vectors in common"


def summed(
    measured: Iterable[tuple[Bundle, Vectors]], tunings: Sequence[int]
) -> VectorProducts | None:
    """The products of some tunings over all tensors in which each has a task vector."""
    total = None
    for _, vectors in measured:
        places = vectors.places(tunings)
        if places is None or vectors.products is None:
            continue
        products = vectors.products.among(places)
        total = products if total is None else total + products
    return total


def _direction(products: VectorProducts | None) -> str:
    """The cosine and the angle."""
    if products is None:
        return ""
    values = directions(products, 0, 1)
    cosine = values.get("cosine")
    if cosine is None:
        return ""
    return f"cosine {cosine:.3f}, {values['angle_deg']:.1f} degrees"
