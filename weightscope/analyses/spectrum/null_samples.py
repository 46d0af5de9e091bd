"""`--null`: adds the statistics of randomised matrices: shuffled elements, or samples of a law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal
from zlib import crc32

from ...checkpoints.views import RandomMatrix
from ...engine.unit import Measured, Measurer, Unit
from ...notes import Note, Notes, notes_of, united
from ...sketches import Count, Shuffled
from ...statistics.spectra.null_samples import law_of, percentiles, scores, statistics_of
from ..measuring import Answer, limits
from ..piece import Piece
from .options import SpectrumOptions
from .request import spectrum_of

# Bits each of --seed, the index of the random matrix and the checksum of the name, side by side
# in one integer: no two random matrices share a seed.
APART = 32
NO_LAW = Note("no-null-sample", "no null: no law could be fitted to the elements")


def with_nulls(
    answers: Sequence[Answer], o: SpectrumOptions, measure: Measurer
) -> Iterator[Answer]:
    """The same answers with the statistics of randomised matrices added."""
    units = [list(_random_units(answer, o)) for answer in answers]
    # All units in one call, so that the engine can batch equal shapes.
    flat = [unit for of_answer in units for unit in of_answer]
    measured: Iterator[Measured] = iter(())
    if flat:
        measured = measure(flat, partial(_statistics, o))
    for answer, of_answer in zip(answers, units, strict=True):
        samples = [next(measured) for _ in of_answer]
        matrices = [sample.values for sample in samples]
        values = dict(percentiles(matrices, o.draws))
        if o.draws > 1:
            values |= scores(answer.values, matrices)
        notes = _null_notes(answer, o, samples, values)
        notes = united(notes_of(answer.values), notes)
        yield replace(answer, values={**answer.values, **values, "notes": notes})


def _null_notes(
    answer: Answer,
    o: SpectrumOptions,
    samples: Sequence[Measured],
    values: Mapping[str, object],
) -> Notes:
    """The reasons for missing nulls; none where the matrix has no spectrum itself."""
    if samples:
        return united(limits(samples), notes_of(values))
    if spectrum_of(answer, o):
        return (NO_LAW,)
    return ()


def _random_units(answer: Answer, o: SpectrumOptions) -> Iterator[Unit]:
    """`draws` random matrices: the elements permuted, or samples of the law fitted to them."""
    piece, entry = answer.piece, answer.piece.entry
    if entry is None or spectrum_of(answer, o) is None:
        return
    if o.null == "shuffle":
        for seed in _seeds(piece, o):
            shuffled = Shuffled(o.measure, seed)
            yield Unit(piece, {"": entry}, {"": frozenset({shuffled})})
        return
    if Count() not in answer.sketches:
        return
    law: Literal["gaussian", "logistic"] = "gaussian" if o.null == "gaussian" else "logistic"
    fitted = law_of(answer.sketches[Count()], law)
    if fitted is None:
        return
    location, scale = fitted
    for seed in _seeds(piece, o):
        sample = RandomMatrix(entry.shape, law, location, scale, seed)
        yield Unit(piece, {"": sample}, {"": frozenset({o.measure})})


def _seeds(piece: Piece, o: SpectrumOptions) -> Iterator[int]:
    """A seed per random matrix, from --seed and the name of the tensor.

    Tensors of one shape share no seed, and a selection of tensors changes none.
    """
    name = crc32(piece.name.encode("utf-8", "surrogatepass"))
    base = o.seed + (name << 2 * APART)
    for i in range(o.draws):
        yield base + (i << APART)


def _statistics(o: SpectrumOptions, measured: Measured) -> Mapping[str, object]:
    """The statistics of one random matrix; empty where it was not measured."""
    for values in measured.sketches[""].values():
        return statistics_of(values, o.alpha_cut)
    return {}
