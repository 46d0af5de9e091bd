"""Opens A and B and pairs their pieces; an adapter as B represents the adapted base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...checkpoints import Checkpoint
from ...engine.unit import Measurer
from ...errors import UsageError
from .. import pieces
from ..gathering import Setting, opened
from ..piece import Model, Piece
from .adapting import adapted, alone, is_adapter, require_base
from .lineage.asked import is_searched
from .no_pair import nothing_paired
from .norms import with_norms
from .options import CompareOptions
from .pair import Pair, SomePair, repaired
from .pairing import on_common_lines, paired_whole
from .renaming import Renaming
from .selecting import selected_pairs
from .untying import untied


def models(sources: Sequence[Any], o: CompareOptions, setting: Setting) -> tuple[Model, ...]:
    """B with the selected pairs as its pieces, and A as its base."""
    renaming = Renaming(o.rename, o.strip_prefix)
    a, b = placed(sources, renaming, setting)
    pairs = paired_whole(a, b, renaming)
    if not any(pair.is_paired for pair in pairs):
        raise nothing_paired(a, b)
    chosen = selected_pairs(pairs, setting.selection, a)
    model = Model(b.source, b.checkpoint, chosen.pieces, base=a, placed=chosen.placed)
    if is_searched(pairs_of(model), o):
        return (model,)
    reduced = {piece: _reduced(piece) for piece in model.placed}
    pieces = tuple(reduced[piece] for piece in model.pieces)
    return (replace(model, pieces=pieces, placed=tuple(reduced.values())),)


def _reduced(piece: Piece) -> Piece:
    assert isinstance(piece, Pair)
    return on_common_lines(piece)


def pairs_of(model: Model) -> list[Pair]:
    """The selected pairs of B with its base A."""
    return [piece for piece in model.pieces if isinstance(piece, Pair)]


def placed(sources: Sequence[Any], renaming: Renaming, setting: Setting) -> tuple[Model, ...]:
    """Each source with all of its pieces; an adapter after the first as the adapted first.

    UsageError for fewer than two sources, and for an adapter that comes first.
    """
    checkpoints = [opened(source, setting.opening) for source in sources]
    first = checkpoints[0]
    if len(checkpoints) < 2:
        raise _alone(first)
    base, *others = untied(checkpoints, renaming)
    for other in others:
        require_base(base, other)
    a = pieces.everything(base, setting.names)
    found = [a]
    for other in others:
        if is_adapter(other) and not is_adapter(base):
            found.append(adapted(a, other, setting.names))
        else:
            found.append(pieces.everything(other, setting.names))
    return tuple(found)


def _alone(checkpoint: Checkpoint) -> UsageError:
    """The error for a single source."""
    if is_adapter(checkpoint):
        return alone(checkpoint)
    return UsageError(
        "expected two MODELs, A and B",
        "found 1",
        "name the older checkpoint first, then the newer one",
    )


def complete(pairs: Sequence[SomePair], model: Model, measure: Measurer) -> tuple[SomePair, ...]:
    """The pairs of a model, after the norms of DoRA adapters have been measured."""
    sides = [side for pair in pairs for side in (pair.a, pair.b) if side is not None]
    unique = tuple(dict.fromkeys(sides))
    measured = with_norms(replace(model, pieces=unique), measure).pieces
    replaced = dict(zip(unique, measured, strict=True))
    return tuple(repaired(pair, replaced) for pair in pairs)


def one_source(model: Model) -> bool:
    """Whether B, with A as its base, has the same files as A."""
    assert model.base is not None
    a, b = model.base.checkpoint, model.checkpoint
    if not a.files:
        return a is b
    return [identity for _, _, identity in a.files] == [identity for _, _, identity in b.files]
