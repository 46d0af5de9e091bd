"""Matching: pieces of A and B that have met, and those of each that are left.

A step pairs what one piece of A and one piece of B have in common and nothing else has. Pieces with
several candidates stay without a partner, whatever later steps would find.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace

from ...notes import Note, united
from ..piece import Piece

LISTED = 3  # candidates that a note names
Key = Callable[[Piece], Hashable | None]  # None: no piece for this step


class Matching:
    """Pieces are told apart by identity: two of them may have one name."""

    def __init__(self, a: Iterable[Piece], b: Iterable[Piece]) -> None:
        self.a = dict.fromkeys(a)  # left of A, in order
        self.b = dict.fromkeys(b)
        self.pairs: list[tuple[Piece, Piece]] = []
        self.refused: list[tuple[Piece | None, Piece | None]] = []

    def step(self, key_a: Key, key_b: Key) -> None:
        """Pairs the pieces whose key one piece on each side has, and refuses shared keys."""
        for mine, others in self.common(key_a, key_b):
            if len(mine) == len(others) == 1:
                self._join(mine[0], others[0])
            else:
                self.refuse(mine, others)

    def common(self, key_a: Key, key_b: Key) -> list[tuple[list[Piece], list[Piece]]]:
        """What is left of A and of B under each key that both have."""
        of_a, of_b = _grouped(self.a, key_a), _grouped(self.b, key_b)
        return [(mine, of_b[key]) for key, mine in of_a.items() if key in of_b]

    def refuse(self, mine: Sequence[Piece], others: Sequence[Piece]) -> None:
        """Leaves pieces that fit each other without a partner, with a note."""
        for piece in mine:
            del self.a[piece]
            self.refused.append((_noted(piece, mine, others), None))
        for piece in others:
            del self.b[piece]
            self.refused.append((None, _noted(piece, others, mine)))

    def all(self) -> Iterator[tuple[Piece | None, Piece | None]]:
        """Every piece of both models, once."""
        yield from self.pairs
        yield from self.refused
        for piece in self.a:
            yield piece, None
        for piece in self.b:
            yield None, piece

    def _join(self, a: Piece, b: Piece) -> None:
        del self.a[a], self.b[b]
        self.pairs.append((a, b))


def _grouped(pieces: Iterable[Piece], key: Key) -> dict[Hashable, list[Piece]]:
    groups: dict[Hashable, list[Piece]] = {}
    for piece in pieces:
        value = key(piece)
        if value is not None:
            groups.setdefault(value, []).append(piece)
    return groups


def _noted(piece: Piece, here: Sequence[Piece], there: Sequence[Piece]) -> Piece:
    """The piece with the note that names the candidates of the other model."""
    names = ", ".join(other.name for other in there[:LISTED])
    more = len(there) - LISTED
    if more > 0:
        names = f"{names} and {more} more"
    template = (
        "{here} of this model and {there} of the other fit each other: {names}; none is paired"
    )
    note = Note.of("several-partners", template, here=len(here), there=len(there), names=names)
    return replace(piece, notes=united(piece.notes, note))
