"""Sentences on blocks that repeat earlier ones: `layers 4-7 repeat 0-3 (cosine 1.000 in 6 roles)`.

Each layer is compared with the first layer that it equals, so that their number is linear.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ....escape import escaped
from ...layer_names import few_ranges, layers_named
from .maps import Map

Pair = tuple[int, int]
FEW = 6  # roles named in a sentence


def repeats(maps: Sequence[Map]) -> Iterator[str]:
    """One sentence for each run of layers that equal earlier ones in the same roles."""
    by_roles: dict[tuple[str, ...], list[Pair]] = {}
    for pair, equal in sorted(_equal_roles(maps).items()):
        by_roles.setdefault(tuple(equal), []).append(pair)
    for names, pairs in by_roles.items():
        later_of: dict[tuple[int, ...], list[int]] = {}
        for run in _runs(pairs):
            earlier = tuple(a for a, _ in run)
            later_of.setdefault(earlier, []).extend(b for _, b in run)
        for earlier, later in later_of.items():
            verb = "repeats" if len(later) == 1 else "repeat"
            roles = _named(names, len(maps))
            yield f"{layers_named(later)} {verb} {few_ranges(earlier)} (cosine 1.000 in {roles})"


def _equal_roles(maps: Sequence[Map]) -> Mapping[Pair, list[str]]:
    """The roles in which a layer equals an earlier one, the first of these."""
    roles: dict[Pair, list[str]] = {}
    for one in maps:
        seen: set[int] = set()
        for (a, b), cell in one.cells.items():
            if cell.equal and b not in seen:
                seen.add(b)
                roles.setdefault((a, b), []).append(one.key.name)
    return roles


def _runs(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Pairs of consecutive layers at one distance."""
    open_runs: dict[int, list[Pair]] = {}
    for a, b in pairs:
        run = open_runs.get(b - a)
        # a layer that repeats is no start of another block
        if run is not None and run[-1] == (a - 1, b - 1):
            run.append((a, b))
            continue
        if run is not None:
            yield run
        open_runs[b - a] = [(a, b)]
    yield from open_runs.values()


def _named(names: Sequence[str], count: int) -> str:
    """`6 roles` for all of them, the names of a few, or how many."""
    if len(names) == count:
        noun = "role" if count == 1 else "roles"
        return f"{count} {noun}"
    if len(names) > FEW:
        return f"{len(names)} of {count} roles"
    return ", ".join(escaped(name) for name in names)
