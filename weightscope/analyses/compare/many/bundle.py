"""A bundle: one tensor of several models, as the pairs of it that are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from ....checkpoints import Checkpoint
from ....order import natural
from ...piece import Model, Piece
from ..pair import Pair

Spot = tuple[int, str]  # index of a model and the name of a piece
Sides = tuple[int, int]  # indices of A and B among the models


@dataclass(frozen=True, eq=False)
class Member(Pair):
    """A pair of two of several models; `tensor` numbers the bundle, in the order of the rows."""

    sides: Sides = (0, 1)
    checkpoints: tuple[Checkpoint, ...] = ()  # of A and of B
    tensor: int = 0

    def tensors(self, model: Model) -> Iterator[tuple[Checkpoint, str]]:
        """The stored tensors of both sides."""
        for piece, checkpoint in zip((self.a, self.b), self.checkpoints, strict=True):
            if piece is not None:
                yield checkpoint, piece.stored.name


@dataclass(frozen=True, eq=False)
class Bundle(Piece):
    """The pairs of one tensor, which are measured together."""

    pairs: tuple[Member, ...] = ()


def members(
    models: Sequence[Model], pairs_of: Mapping[Sides, Iterable[Pair]]
) -> tuple[Member, ...]:
    """Every pair with the number of its bundle, in the natural order of the bundles' names.

    Tensors are in one bundle where pairs connect them, and where the first model lacks those of one
    name. A bundle has the name of its tensor in the
    first model that has it; its pairs keep the order in which they are given.
    """
    found = [(sides, pair) for sides, pairs in pairs_of.items() for pair in pairs]
    connected = Connected()
    for sides, pair in found:
        connected.join(_spots(pair, sides))
    for spots in _new(found).values():
        connected.join(spots)
    first_spot: dict[Spot, Spot] = {}  # root -> the spot that names the bundle
    for spot in connected.spots():
        root = connected.root(spot)
        first_spot[root] = min(first_spot.get(root, spot), spot)
    roots = sorted(first_spot, key=lambda root: natural(first_spot[root][1]))
    rank = {root: i for i, root in enumerate(roots)}
    ordered = []
    for sides, pair in found:
        root = connected.root(_spots(pair, sides)[0])
        _, name = first_spot[root]
        ordered.append(_member(pair, models, sides, rank[root], name))
    return tuple(sorted(ordered, key=lambda member: member.tensor))  # stable


def _new(found: Iterable[tuple[Sides, Pair]]) -> dict[str, list[Spot]]:
    """The pieces that the first model lacks, by name."""
    by_name: dict[str, list[Spot]] = {}
    for (a, b), pair in found:
        if a == 0 and pair.b is not None and not pair.is_paired:
            by_name.setdefault(pair.b.name, []).append((b, pair.b.name))
    return by_name


class Connected:
    """Spots that pairs connect, directly or by others."""

    def __init__(self) -> None:
        self.above: dict[Spot, Spot] = {}

    def root(self, spot: Spot) -> Spot:
        """One spot that stands for all that are connected with this one."""
        while self.above[spot] != spot:
            self.above[spot] = self.above[self.above[spot]]
            spot = self.above[spot]
        return spot

    def join(self, spots: Sequence[Spot]) -> None:
        """Connects spots."""
        for spot in spots:
            self.above.setdefault(spot, spot)
            self.above[self.root(spot)] = self.root(spots[0])

    def spots(self) -> Iterator[Spot]:
        """All of them."""
        yield from self.above


def bundles(pairs: Iterable[Member]) -> tuple[Bundle, ...]:
    """The pairs by bundle, in their order; a bundle stands where its first pair stands."""
    groups: dict[int, list[Member]] = {}
    for pair in pairs:
        groups.setdefault(pair.tensor, []).append(pair)
    found = []
    for group in groups.values():
        first = group[0]
        own = {field.name: getattr(first, field.name) for field in fields(Piece)}
        found.append(Bundle(**own, pairs=tuple(group)))
    return tuple(found)


def _spots(pair: Pair, sides: Sides) -> list[Spot]:
    """Where the pieces of a pair are."""
    pieces = zip(sides, (pair.a, pair.b), strict=True)
    return [(model, piece.name) for model, piece in pieces if piece is not None]


def _member(pair: Pair, models: Sequence[Model], sides: Sides, tensor: int, name: str) -> Member:
    own = {field.name: getattr(pair, field.name) for field in fields(Pair)}
    checkpoints = tuple(models[side].checkpoint for side in sides)
    return Member(**{**own, "name": name}, sides=sides, checkpoints=checkpoints, tensor=tensor)
