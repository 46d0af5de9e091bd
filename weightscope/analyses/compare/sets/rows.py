"""The rows of `compare BASE TUNING... --set`: one per tensor or group and pair of tunings.

With --mix: one per tensor or group and source of the merge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from ....columns import Found, Message
from ....engine.unit import Measurer
from ....notes import Notes, notes_of, united
from ....sources import distinct
from ....statistics.pairs.sets import POSITIONS, PRODUCTS
from ....statistics.statistic import Evidence, evaluate
from ...analysis import Answering
from ...measuring import answers, nulls
from ...piece import Model, Piece
from ...rows import Group, of_group, of_tensor, pooled, row_of
from ..many.bundle import Bundle, Member, bundles
from ..many.opening import complete, models
from ..options import MIX, CompareOptions
from .columns import columns, optional, statistics_of
from .merge import merge_sentences
from .sentences import sentences
from .vectors import VALUES, Vectors, VectorsRequest, lacks_of, without_two

Measured = Sequence[tuple[Bundle, Vectors]]


def rows(models: Sequence[Model], o: CompareOptions, measure: Measurer) -> Iterator[Found]:
    """Sentences over all tensors, then the rows."""
    (base,) = models
    names = [base.source, *(model.source for model in base.beside)]
    measured = []
    for answer in answers(bundles(complete(base, measure)), VectorsRequest(o), measure):
        bundle = answer.piece
        assert isinstance(bundle, Bundle)
        if not bundle.is_weight:
            continue
        vectors = answer.values.get(VALUES)
        if not isinstance(vectors, Vectors):
            vectors = Vectors(lacks=lacks_of(bundle))
        measured.append((bundle, vectors))
    short = distinct(names)
    told = merge_sentences(measured, short) if o.mode == MIX else sentences(measured, short)
    yield from (Message(text, key="verdict") for text in told)
    if o.by == "tensor":
        yield from _tensors(measured, names, o)
    else:
        yield from _groups(measured, names, o)


Subject = tuple[dict[str, object], tuple[int, ...], int]  # names, tunings, index of the statistic


def _subjects(names: Sequence[str], o: CompareOptions) -> list[Subject]:
    """What the rows of a tensor are about: two tunings each, or one source of the merge."""
    tunings = range(1, len(names))
    if o.mode == MIX:
        *sources, _ = tunings
        every = tuple(tunings)
        return [({"a": names[source]}, every, i) for i, source in enumerate(sources)]
    found: list[Subject] = []
    for a, b in combinations(tunings, 2):
        found.append(({"a": names[a], "b": names[b]}, (a, b), 0))
    return found


def _tensors(measured: Measured, names: Sequence[str], o: CompareOptions) -> Iterator[Found]:
    for bundle, vectors in measured:
        for named, tunings, index in _subjects(names, o):
            values = _values(bundle, vectors, tunings, index, o)
            yield row_of({**of_tensor(bundle), **named, **values}, _failed(bundle, vectors))


def _groups(measured: Measured, names: Sequence[str], o: CompareOptions) -> Iterator[Found]:
    """Sums over the tensors of a group in which all tunings of the row have a task vector."""
    groups: dict[tuple[object, ...], list[tuple[Bundle, Vectors]]] = {}
    for bundle, vectors in measured:
        keys = _keys(bundle, o.by)
        groups.setdefault(tuple(keys.values()), []).append((bundle, vectors))
    for members in groups.values():
        for named, tunings, index in _subjects(names, o):
            group = Group(_keys(members[0][0], o.by))
            for bundle, vectors in members:
                values = _values(bundle, vectors, tunings, index, o)
                group.take(bundle, values, _sketches(vectors, tunings))
            statistics = statistics_of(o, index)
            spread = [column for statistic in statistics for column in statistic.columns]
            failed = [name for pair in members for name in _failed(*pair)]
            yield row_of({**pooled(group, statistics, spread), **named}, tuple(failed))


def _keys(piece: Piece, by: str) -> dict[str, object]:
    return of_group(piece, by) | {"kind": piece.place.kind}


def _values(
    bundle: Bundle, vectors: Vectors, tunings: Sequence[int], index: int, o: CompareOptions
) -> dict[str, object]:
    """The statistics of a row, and its notes."""
    statistics = statistics_of(o, index)
    sketches = _sketches(vectors, tunings)
    values: dict[str, object] = dict(nulls(statistics))
    notes: Notes = united(bundle.notes, vectors.notes)
    if sketches:
        values |= evaluate(statistics, Evidence(sketches, None, kind=bundle.place.kind))
    lacking = [note for tuning, note in (vectors.lacks or {}).items() if tuning in tunings]
    return {**values, "notes": united(notes, lacking, notes_of(values))}


def _sketches(vectors: Vectors, tunings: Sequence[int]) -> Mapping[Any, Any]:
    """The records of these tunings; empty where one of them has no task vector."""
    places = vectors.places(tunings)
    if places is None:
        return {}
    assert vectors.products is not None
    sketches: dict[Any, Any] = {PRODUCTS: vectors.products.among(places)}
    if vectors.positions is not None:
        sketches[POSITIONS] = vectors.positions.among(places)
    return sketches


def _failed(bundle: Bundle, vectors: Vectors) -> tuple[str, ...]:
    """The name of a tensor that was to be measured and has no result."""
    lacks = vectors.lacks or {}
    if len(bundle.pairs) - len(lacks) >= 2 and vectors.products is None:
        return (bundle.name,)
    return ()


def _lacks(model: Model, o: CompareOptions) -> dict[int, str]:
    """The reason of tensors without two task vectors, by the id of their pairs."""
    pairs = [piece for piece in model.placed if isinstance(piece, Member)]
    return {id(pair): "no-delta" for pair in without_two(pairs)}


ANSWERING = Answering(columns, optional, rows, models, lacks=_lacks)
