"""The picture of `--coupling`: a heat map of max |rho| for means, and one for scales."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ....columns import Panel
from ....lazy import numpy as np
from .heads import HEADS, KV_HEADS
from .pairs import Pair

KIND = "coupling"
# the order of the index sets on the axes; others after them
SETS = ("residual", HEADS, KV_HEADS, "mlp_hidden")


def panels(pairs: Sequence[Pair], count: int, source: Mapping[str, object]) -> Iterator[Panel]:
    """One panel for each stack and kind of vectors; `count` correlations are a family."""
    groups: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        groups.setdefault((pair.key.stack, pair.key.of), []).append(pair)
    for (stack, of), members in groups.items():
        words = [str(word) for word in (source.get("source"), stack, of) if word]
        yield Panel(
            ": ".join(words),
            KIND,
            of={**source, "stack": stack or None, "of": of},
            values=_values(members, count),
        )


def _values(pairs: Sequence[Pair], count: int) -> dict[str, object]:
    """Names and index sets of the vectors, max |rho| of every two, its family point."""
    axis: dict[tuple[str, str], tuple[object, ...]] = {}
    for pair in pairs:
        index_set = pair.key.index_set
        for line in pair.lines:
            rank = SETS.index(index_set) if index_set in SETS else len(SETS)
            axis[index_set, line.label] = (rank, index_set, line.order)
    ordered = sorted(axis, key=lambda name: axis[name])
    place = {name: i for i, name in enumerate(ordered)}
    rho = np.full((len(ordered), len(ordered)), np.nan)
    family = rho.copy()
    for pair in pairs:
        i = place[pair.key.index_set, pair.key.a]
        j = place[pair.key.index_set, pair.key.b]
        rho[i, j] = rho[j, i] = abs(pair.largest.rho)
        family[i, j] = family[j, i] = pair.point(count)
    return {
        "names": tuple(label for _, label in ordered),
        "sets": tuple(index_set for index_set, _ in ordered),
        "max_rho": rho,
        "family": family,
    }
