"""spectrum: what do the singular values say? Ranks, power-law tail, noise bulk and spikes, effective depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ...columns import Block, Column, Panel, Row, titled
from ...engine.unit import Measurer
from ...heavy import numpy as np
from ...statistics.readings import against, chance, depth, evenness, noise, sizes, tail, twin
from ...statistics.spectrum import Spectrum
from ...statistics.statistic import Evidence, Statistic
from .. import pieces
from ..analysis import Analysis, Model, Piece
from ..groups import grouped, keys_of, spread, with_spread
from ..identity import NOTE, SOURCE, TENSOR, of_group, of_tensor, sourced
from ..notes import joined
from .answers import SIDES, answers, lack, sides, spectrum_of
from .options import SpectrumOptions
from .picture import panel

VALUES = (
    Column("tensor", "str", "name as stored"),
    Column("index", "int", "from 0, the largest"),
    Column("value", "float", "singular value", "weight"),
)
GIVE_WAY = ("row_spread", "effective_depth")


def statistics(o: SpectrumOptions) -> tuple[Statistic, ...]:
    """In the order of their columns; the balanced twin with --balance."""
    m = o.measure
    usual = (sizes(m), tail(m, o.alpha_cut, o.alpha_ci, o.seed), noise(m, o.balance), chance(m), depth(m), evenness(m))
    return usual + ((twin(m),) if o.balance else ())


def columns(o: SpectrumOptions) -> tuple[Column, ...]:
    """Identity, statistics with their nulls, note."""
    source = (SOURCE,) if o.several else ()
    hidden = GIVE_WAY if o.balance else ()
    every = (*SIDES, *(c for s in statistics(o) for c in s.columns))
    asked = [replace(c, shown=c.shown and c.name not in hidden) for c in every]
    own = against(asked, o.draws) if o.null else tuple(asked)
    if o.by != "tensor":
        keys = tuple(replace(c, shown=c.shown and c.name != "params") for c in keys_of(o.by))
        return (*source, *keys, *with_spread([Statistic(own, frozenset({o.measure}), _nothing)]), NOTE)
    sides = () if o.null else ("m", "n") if o.per_head else ("shape",)  # a head's, not stored; nulls need the room
    named = tuple(replace(c, shown=c.name == "tensor" or c.name in sides) for c in TENSOR)
    own = tuple(replace(c, shown=c.shown or c.name in sides) for c in own)
    return (*source, *named, *own, NOTE)


def _nothing(evidence: Evidence) -> Mapping[str, object]:
    return {}


def optional(o: SpectrumOptions) -> Mapping[str, str]:
    """Columns that another option would bring."""
    full, alone = SpectrumOptions(balance=True, alpha_ci=True, null="shuffle", draws=2), o.by == "tensor"
    of_groups = (*columns(replace(full, by="role")), *keys_of("layer"))
    return (
        {c.name: (not alone and _missing(c, o)) or "--by role" for c in of_groups}
        | {c.name: "--by tensor" for c in TENSOR}
        | {c.name: (alone and _missing(c, o)) or "--by tensor" for c in columns(full)}
        | {"source": "several MODELs"}
    )


def _missing(column: Column, o: SpectrumOptions) -> str:
    """What a column lacks that is not there: with --null its ends lack --draws."""
    return "--draws" if o.null and column.option == "--null" else column.option


def rows(models: Sequence[Model], o: SpectrumOptions, measure: Measurer) -> Iterator[Row | Panel | Block]:
    """One row a tensor or a group; beside it values and pictures of the tensors where they were asked for."""
    if o.values:
        yield _values_of(None, {})  # the table is there also where nothing has values
    for model in models:
        own, seen = sourced(models, model), []
        for answer in answers(model, o, statistics(o), measure):
            piece, found = answer.piece, spectrum_of(answer, o)
            values = {**sides(piece), **answer.values}
            lost = found is None and o.measure in answer.sketches
            if o.by == "tensor":
                yield Row({**own, **of_tensor(piece), **values}, (piece.name,) if lost else ())
            else:
                seen.append((piece, values, lost))
            yield from _beside(piece, found, o, own)
        yield from _groups(seen, o, own)


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
        yield replace(drawn, of=row, note=lack(piece) or drawn.note)


def _values_of(found: Spectrum | None, of: Mapping[str, object]) -> Block:
    sigma = np.zeros(0) if found is None else found.sigma
    return Block({"index": np.arange(len(sigma)), "value": sigma}, {"tensor": titled(of)}, "values", VALUES)


def _keys(piece: Piece, o: SpectrumOptions) -> dict[str, object]:
    return {**of_group(piece, o.by), "kind": piece.place.kind}


def _groups(
    seen: Sequence[tuple[Piece, Mapping[str, object], bool]], o: SpectrumOptions, own: Mapping[str, object]
) -> Iterator[Row]:
    """Median, least and greatest over the tensors of a group: spectra of different matrices have no sum."""
    named = [c for c in columns(replace(o, by="tensor")) if c not in (SOURCE, *TENSOR, NOTE)]
    for group in grouped(((piece, values, {}) for piece, values, _ in seen), o.by):
        sizes_ = {"tensors": len(group.values), "params": group.params}
        values = {**own, **group.keys, **sizes_, **dict(spread(group, named)), "note": joined(group.noted)}
        yield Row(values, tuple(p.name for p, _, lost in seen if lost and _keys(p, o) == group.keys))


def _applies(piece: Piece) -> bool:
    return not lack(piece)


SPECTRUM = Analysis(
    "spectrum", SpectrumOptions, columns, optional, rows, pieces.everything, draws=True, applies=_applies
)
