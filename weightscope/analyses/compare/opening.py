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
from .no_pair import nothing_paired
from .norms import with_norms
from .options import CompareOptions
from .pair import Pair
from .pairing import paired
from .renaming import Renaming
from .selecting import selected_pairs
from .untying import untied


def models(sources: Sequence[Any], o: CompareOptions, setting: Setting) -> tuple[Model, ...]:
    """B with the selected pairs as its pieces, and A as its base."""
    renaming = Renaming(o.rename, o.strip_prefix)
    a, b = placed(sources, renaming, setting)
    pairs = paired(a, b, renaming)
    if not any(pair.is_paired for pair in pairs):
        raise nothing_paired(a, b)
    chosen = selected_pairs(pairs, setting.selection, a)
    return (Model(b.source, b.checkpoint, chosen.pieces, base=a, placed=chosen.placed),)


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


def complete(model: Model, measure: Measurer) -> tuple[Pair, ...]:
    """The pairs, after the norms of a DoRA adapter have been measured."""
    pairs = [piece for piece in model.pieces if isinstance(piece, Pair)]
    of_b = tuple(pair.b for pair in pairs if pair.b is not None)
    measured = with_norms(replace(model, pieces=of_b), measure).pieces
    by_piece = dict(zip(of_b, measured, strict=True))
    return tuple(_with_b(pair, by_piece) for pair in pairs)


def _with_b(pair: Pair, by_piece: dict[Piece, Piece]) -> Pair:
    if pair.b is None or by_piece[pair.b] is pair.b:
        return pair
    b = by_piece[pair.b]
    return replace(pair, b=b, entry=pair.entry if b.entry else None)


def one_source(model: Model) -> bool:
    """Whether B, with A as its base, has the same files as A."""
    assert model.base is not None
    a, b = model.base.checkpoint, model.checkpoint
    if not a.files:
        return a is b
    return [identity for _, _, identity in a.files] == [identity for _, _, identity in b.files]
