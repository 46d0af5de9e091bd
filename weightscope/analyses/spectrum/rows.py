"""The rows of `spectrum`: one a tensor or a group; singular values and pictures where they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from ...columns import Block, Column, Found, Panel, Row, titled
from ...engine.unit import Measurer
from ...lazy import numpy as np
from ...statistics.spectra.spectrum import Spectrum
from .. import pieces
from ..analysis import Answering
from ..gathering import gathered
from ..measuring import Answer, answers
from ..piece import Model, Piece
from ..rows import grouped, of_group, of_tensor, pooled, row_of, sourced
from .columns import columns, optional, own_columns
from .draws import beside_draws
from .heads import per_head
from .matrices import lack, sides
from .options import SpectrumOptions
from .picture import panel
from .request import SpectrumRequest, draws_wanted, spectrum_of

VALUES = (
    Column("tensor", "str", "name as stored"),
    Column("index", "int", "from 0, the largest"),
    Column("value", "float", "singular value", "weight"),
)


def rows(models: Sequence[Model], o: SpectrumOptions, measure: Measurer) -> Iterator[Found]:
    """One row a tensor or a group; beside it values and pictures of the tensors where they were asked for."""
    if o.values:
        yield _values_of(None, {})  # the table is there also where nothing has values
    for model in models:
        own, seen = sourced(models, model), []
        for answer in _answers(model, o, measure):
            piece, found = answer.piece, spectrum_of(answer, o)
            values = {**sides(piece), **answer.values}
            lost = found is None and o.measure in answer.sketches
            if o.by == "tensor":
                yield row_of({**own, **of_tensor(piece), **values}, (piece.name,) if lost else ())
            else:
                seen.append((piece, values, lost))
            yield from _beside(piece, found, o, own)
        yield from _groups(seen, o, own)


def _answers(model: Model, o: SpectrumOptions, measure: Measurer) -> Iterator[Answer]:
    """Every piece, or every head, with its values and sketches, in order."""
    seen = list(per_head(model.pieces, model.checkpoint.config)) if o.per_head else model.pieces
    found = answers(seen, SpectrumRequest(o), measure)
    return beside_draws(list(found), o, measure) if draws_wanted(o) else found


def _beside(
    piece: Piece, found: Spectrum | None, o: SpectrumOptions, own: Mapping[str, object]
) -> Iterator[Panel | Block]:
    """All singular values, and the picture or why there is none; it belongs to the row of the tensor or its group."""
    of = {**own, "tensor": piece.name}
    if found is not None and o.values:
        yield _values_of(found, of)
    if o.panels:
        drawn = panel(found, o.alpha_cut, of)
        row = of if o.by == "tensor" else {**own, **_keys(piece, o)}
        reason = lack(piece)
        yield replace(drawn, of=row, note=reason.text if reason else drawn.note)


def _values_of(found: Spectrum | None, of: Mapping[str, object]) -> Block:
    sigma = np.zeros(0) if found is None else found.sigma
    return Block(
        {"index": np.arange(len(sigma)), "value": sigma}, {"tensor": titled(of)}, "values", VALUES
    )


def _keys(piece: Piece, o: SpectrumOptions) -> dict[str, object]:
    return {**of_group(piece, o.by), "kind": piece.place.kind}


def _groups(
    seen: Sequence[tuple[Piece, Mapping[str, object], bool]],
    o: SpectrumOptions,
    own: Mapping[str, object],
) -> Iterator[Row]:
    """Median, least and greatest over the tensors of a group: spectra of different matrices have no sum."""
    named = own_columns(replace(o, by="tensor"))
    for group in grouped(((piece, values, {}) for piece, values, _ in seen), o.by):
        lost = tuple(p.name for p, _, lost in seen if lost and _keys(p, o) == group.keys)
        yield row_of({**own, **pooled(group, (), named)}, lost)


def _applies(piece: Piece) -> bool:
    return not lack(piece)


ANSWERING = Answering(
    columns, optional, rows, partial(gathered, pieces.everything), applies=_applies
)
