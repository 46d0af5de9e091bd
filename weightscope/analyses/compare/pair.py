"""A pair: two pieces at one place of two checkpoints, or one piece without a partner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ...checkpoints import Checkpoint
from ..piece import Model, Piece

MATCHING = 0.15  # cosine from which elements that a rule pairs count as the same


@dataclass(frozen=True, eq=False)
class Pair(Piece):
    """What gets a row of `compare`.

    The fields of a piece are those of A, of B where A has no such piece. The entries of `a` and `b`
    are as they are compared: rows of B in the order of A, under a `rule` the elements it pairs.
    """

    a: Piece | None = None
    b: Piece | None = None
    rule: str = ""  # how B's elements follow from A's; the pair stands only where these match
    least: float | None = None  # the cosine from which its elements match; None: they do
    found: Mapping[str, object] = field(default_factory=dict)  # other columns of the search
    ordered: bool = True  # False: rows of B are in an unknown order, so only laws are compared

    @property
    def other_name(self) -> str | None:
        """B's name where it differs from that of the row."""
        if self.a is None or self.b is None or self.b.name == self.name:
            return None
        return self.b.name

    def tensors(self, model: Model) -> Iterator[tuple[Checkpoint, str]]:
        """The stored tensors of both sides."""
        if self.a is not None and model.base is not None:
            yield model.base.checkpoint, self.a.stored.name
        if self.b is not None:
            yield model.checkpoint, self.b.stored.name

    @property
    def both(self) -> tuple[Piece, Piece]:
        """A's piece and B's; for pairs that have both."""
        assert self.a is not None
        assert self.b is not None
        return self.a, self.b

    @property
    def is_paired(self) -> bool:
        """Whether both checkpoints have a piece."""
        return self.a is not None and self.b is not None

    @property
    def resized(self) -> bool:
        """Whether a side has elements that the rule leaves out, or shapes differ."""
        if self.a is None or self.b is None:
            return False
        return self.reshaped or self.a.params != self.b.params

    @property
    def reshaped(self) -> bool:
        """Whether both have entries, of different shapes."""
        if self.a is None or self.b is None:
            return False
        if self.a.entry is None or self.b.entry is None:
            return self.a.shape != self.b.shape
        return self.a.entry.shape != self.b.entry.shape


def pair_of(a: Piece | None, b: Piece | None) -> Pair:
    """The pair of two pieces; of one, without a partner."""
    first = a or b
    assert first is not None
    entry = first.entry
    if a is not None and b is not None and b.entry is None:
        entry = None  # nothing can be measured of the pair
    return Pair(
        first.name,
        first.place,
        first.stored,
        entry,
        first.shape,
        first.dtype,
        first.params,
        first.notes,
        a=a,
        b=b,
    )


def joined_rules(*rules: str) -> str:
    """Rules that hold together as one text; empty ones are left out.

    >>> joined_rules("layers 0-1", "", "rotated")
    'layers 0-1; rotated'
    """
    return "; ".join(rule for rule in rules if rule)


SomePair = TypeVar("SomePair", bound=Pair)


def repaired(pair: SomePair, pieces: Mapping[Piece, Piece]) -> SomePair:
    """The pair with replaced pieces; itself where none of its own is replaced."""
    a = pieces.get(pair.a, pair.a) if pair.a else None
    b = pieces.get(pair.b, pair.b) if pair.b else None
    if a is pair.a and b is pair.b:
        return pair
    return replace(pair, a=a, b=b, entry=pair_of(a, b).entry)
