"""Opens several models and decides which tensors of which two of them are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ....engine.unit import Measurer
from ...gathering import Setting
from ...piece import Model, Piece
from .. import opening
from ..no_pair import nothing_paired
from ..options import SERIES, CompareOptions
from ..pairing import paired
from ..renaming import Renaming
from ..selecting import selected_pairs
from .bundle import Member, Sides, members


def models(sources: Sequence[Any], o: CompareOptions, setting: Setting) -> tuple[Model, ...]:
    """The first model with the selected pairs of all as its pieces, and the others beside it."""
    renaming = Renaming(o.rename, o.strip_prefix)
    every = opening.placed(sources, renaming, setting)
    pairs_of = {}
    for a, b in sides_of(o.mode, len(every)):
        pairs_of[a, b] = paired(every[a], every[b], _spelling(renaming, every, a, b))
    pairs = members(every, pairs_of)
    if not any(pair.is_paired for pair in pairs):
        raise nothing_paired(every[0], every[1])
    pairs, chosen = _selected(pairs, every[0], setting)
    first, *others = every
    return (
        Model(
            first.source,
            first.checkpoint,
            chosen,
            placed=pairs,
            beside=tuple(others),
            positions=setting.positions,
        ),
    )


def sides_of(mode: str, count: int) -> Iterator[Sides]:
    """Which models are compared: each with the first, steps of a series with the previous too."""
    for b in range(1, count):
        yield 0, b
        if mode == SERIES and b > 1:
            yield b - 1, b


def _spelling(renaming: Renaming, every: Sequence[Model], a: int, b: int) -> Renaming:
    """The renaming for two of the models: either of them may have the names of the first.

    Beside the first it goes for b too where b has none of the new names.
    """
    new = set()
    if a == 0:
        names = [piece.stored.name for piece in every[0].pieces]
        new = {renaming.in_a(name) for name in names if renaming.renames(name)}
    stored = {renaming.in_b(piece.stored.name) for piece in every[b].pieces}
    return replace(renaming, everywhere=new.isdisjoint(stored))


def complete(model: Model, measure: Measurer) -> tuple[Member, ...]:
    """The pairs, after the norms of DoRA adapters have been measured."""
    pairs = [piece for piece in model.pieces if isinstance(piece, Member)]
    return opening.complete(pairs, model, measure)


def _selected(
    pairs: Sequence[Member], first: Model, setting: Setting
) -> tuple[tuple[Member, ...], tuple[Member, ...]]:
    """(all pairs, those of the selected tensors), with the buffers marked that were named.

    The options apply to a tensor where it first stands.
    """
    leading = {pair.tensor: pair for pair in reversed(pairs)}
    model = selected_pairs(tuple(leading.values()), setting.selection, first)
    named = {_tensor(piece): piece.named for piece in model.pieces}
    marked = [replace(p, named=True) if named.get(p.tensor) else p for p in pairs]
    return tuple(marked), tuple(pair for pair in marked if pair.tensor in named)


def _tensor(piece: Piece) -> int:
    """The number of the bundle of a pair."""
    assert isinstance(piece, Member)
    return piece.tensor
