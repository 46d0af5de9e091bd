"""`--null`: the statistics of randomised matrices, shuffled or drawn from the fitted law, beside those measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal
from zlib import crc32

from ...checkpoints.views import Drawn
from ...engine.unit import Measured, Measurer, Unit
from ...notes import Note, Notes, notes_of, united
from ...sketches import Count, Shuffled
from ...statistics.spectra.drawn import drawn, law_of, readings
from ..measuring import Answer, limits
from ..piece import Piece
from .options import SpectrumOptions
from .request import spectrum_of

APART = 32  # bits between --seed, draw and name in the seed of a draw: no two share one
NO_LAW = Note("nothing-drawn", "no law of the elements to draw from")


def beside_draws(
    found: Sequence[Answer], o: SpectrumOptions, measure: Measurer
) -> Iterator[Answer]:
    """The same answers with what chance gives beside them."""
    units = [(a, list(_draws(a, o))) for a in found]
    flat = [u for _, us in units for u in us]
    measured = measure(flat, partial(_reading, o)) if flat else iter(())
    for answer, own in units:
        seen = [next(measured) for _ in own]
        values = drawn([m.values for m in seen], o.draws)
        notes: Notes = (NO_LAW,) if spectrum_of(answer, o) else ()
        if own:
            notes = united(limits(seen), notes_of(values))
        both = united(notes_of(answer.values), notes)
        yield replace(answer, values={**answer.values, **values, "notes": both})


def _draws(answer: Answer, o: SpectrumOptions) -> Iterator[Unit]:
    """Matrices of chance, as many as asked for: its own elements permuted, or drawn from its fitted law."""
    piece, entry = answer.piece, answer.piece.entry
    if entry is None or spectrum_of(answer, o) is None:
        return
    if o.null == "shuffle":
        yield from (
            Unit(piece, {"": entry}, {"": frozenset({Shuffled(o.measure, s)})})
            for s in _seeds(piece, o)
        )
    elif Count() in answer.sketches and (fitted := law_of(answer.sketches[Count()], str(o.null))):
        law: Literal["gaussian", "logistic"] = "gaussian" if o.null == "gaussian" else "logistic"
        made = (Drawn(entry.shape, law, *fitted, s) for s in _seeds(piece, o))
        yield from (Unit(piece, {"": e}, {"": frozenset({o.measure})}) for e in made)


def _seeds(piece: Piece, o: SpectrumOptions) -> Iterator[int]:
    """One for each draw, by the name: tensors of one shape share none, and a selection changes none."""
    name = crc32(piece.name.encode("utf-8", "surrogatepass"))
    return (o.seed + (i << APART) + (name << 2 * APART) for i in range(o.draws))


def _reading(o: SpectrumOptions, measured: Measured) -> Mapping[str, object]:
    """What is read of one draw."""
    return next((readings(s, o.alpha_cut) for s in measured.sketches[""].values()), {})
