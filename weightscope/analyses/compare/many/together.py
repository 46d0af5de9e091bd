"""The pairs of a bundle measured as one: each tensor of each model is read once, and counted once.

Every pair has the values that it would have alone. Where the models of a bundle do not fit into the
memory together, its pairs are measured one after the other, and their tensors are read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ....engine.unit import Measured, Measurer, Unit
from ....notes import Notes
from ....statistics.statistic import Statistic
from ...joining import JoinedUnits, Share
from ...measuring import Answer, answers
from ...piece import Piece
from ..comparison import Comparison, keys_of_pair
from ..request import CompareRequest
from .bundle import Bundle, Member, Sides, bundles

OF_PAIRS = "pairs"  # the key of the values of a bundle
Joint = tuple[tuple[Unit, ...], list[list[Share]]]


@dataclass(frozen=True)
class Together:
    """A request for bundles, made of the requests for their pairs."""

    request: CompareRequest
    joined: dict[Piece, Joint] = field(default_factory=dict, compare=False)  # asked for three times

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """None of the bundle itself."""
        return ()

    def units(self, piece: Piece) -> tuple[Unit, ...]:
        """The units of all pairs, those that share an entry as one."""
        units, _ = self._joined(piece)
        return units

    def lack(self, piece: Piece) -> Notes:
        """The pairs have the reasons."""
        return ()

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[Any, Any]:
        """By pair."""
        found = {}
        for pair, of_pair in self._by_pair(piece, measured):
            found[pair] = self.request.sketches(pair, of_pair)
        return found

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """The values of each pair under one key."""
        found = {}
        for pair, of_pair in self._by_pair(piece, measured):
            if of_pair:
                found[pair] = self.request.values(pair, of_pair)
        return {OF_PAIRS: found}

    def _joined(self, piece: Piece) -> Joint:
        """The joined units, and the shares of each pair in them."""
        if piece not in self.joined:
            self.joined[piece] = self._join(piece)
        return self.joined[piece]

    def _join(self, piece: Piece) -> Joint:
        assert isinstance(piece, Bundle)
        joined = JoinedUnits(piece)
        shares = [[joined.share(unit) for unit in self.request.units(pair)] for pair in piece.pairs]
        return joined.freeze(divisible=True), shares

    def _by_pair(
        self, piece: Piece, measured: Sequence[Measured]
    ) -> Iterator[tuple[Member, list[Measured]]]:
        """Each pair with its units as measured, as if it were alone."""
        assert isinstance(piece, Bundle)
        _, shares_of_pairs = self._joined(piece)
        for pair, shares in zip(piece.pairs, shares_of_pairs, strict=True):
            yield pair, [share.of(measured) for share in shares]


def compared(
    pairs: Sequence[Member],
    request: CompareRequest,
    sides: Iterable[Sides],
    measure: Measurer,
    see: Callable[[Answer], None] = lambda answer: None,
) -> dict[Sides, Comparison]:
    """The comparison of each two models; `see` is shown every pair while it has its sketches."""
    of_sides: dict[Sides, list[Member]] = {two: [] for two in sides}
    for pair in pairs:
        of_sides[pair.sides].append(pair)
    comparisons = {two: Comparison(request, members) for two, members in of_sides.items()}
    for answer in together(pairs, request, measure):
        member = answer.piece
        assert isinstance(member, Member)
        comparisons[member.sides].take(answer)
        see(answer)
    return comparisons


def together(
    pairs: Sequence[Member], request: CompareRequest, measure: Measurer
) -> Iterator[Answer]:
    """Every pair with its values and sketches, bundle by bundle."""
    ordered = by_group(bundles(pairs), request.options.by)
    for answer in answers(ordered, Together(request), measure):
        bundle = answer.piece
        assert isinstance(bundle, Bundle)
        values = answer.values.get(OF_PAIRS, {})
        assert isinstance(values, Mapping)
        for pair in bundle.pairs:
            if pair in values:
                yield Answer(pair, values[pair], answer.sketches[pair])
            else:
                yield next(answers([pair], request, measure))


def by_group(found: Sequence[Bundle], by: str) -> Sequence[Bundle]:
    """The bundles group by group, so that few groups are unfinished at any time.

    Groups and their members keep their order.
    """
    if by == "tensor":
        return found
    groups: dict[tuple[object, ...], list[Bundle]] = {}
    for bundle in found:
        key = tuple(keys_of_pair(bundle.pairs[0], by).values())
        groups.setdefault(key, []).append(bundle)
    return [bundle for members in groups.values() for bundle in members]
