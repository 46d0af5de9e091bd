"""The rows of `depth`: one per series and statistic, or one per layer; a sentence per statistic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...columns import Found, Message, Row
from ...engine.unit import Measurer
from ...escape import escaped
from ...notes import Notes, united
from ...statistics.elements.moments import BEYOND
from ...statistics.schemes import CRITICAL_RELU, CRITICAL_TANH, RELU, TANH
from ..measuring import Request, answers
from ..piece import Model
from ..rows import row_of, sourced
from .catalogue import request_of
from .gain import GAIN
from .initialisation import NULLS, ORTHOGONALITY, LawRequest, law_wanted, of_series
from .judging import Judged, judged
from .lacking import of_layer
from .options import STD, DepthOptions
from .picture import panels
from .products import PRODUCT, ROLES, Composed, composed
from .sentence import sentence
from .series import Point, Series, member_of, series_of, sharing
from .setting import layer_counts
from .similarity import SIMILARITY, SIMILARITY_NULL, SIMILARITY_SCORE, Neighbours, neighbours
from .sparkline import heights

CRITICAL = (
    f"critical gain at the start of training: {RELU:.4g} for ReLU, {TANH:g} for tanh, "
    "with biases of 0"
)
OF_NEIGHBOURS = frozenset({SIMILARITY.name, SIMILARITY_NULL.name, SIMILARITY_SCORE.name})


@dataclass(frozen=True, eq=False)
class _Model:
    """The series of a model with their neighbours; none are measured unless requested."""

    source: Mapping[str, object]
    series: Sequence[Series]
    neighbours: Mapping[Series, Neighbours]
    counts: Mapping[str, int]  # layers of each stack


def rows(models: Sequence[Model], o: DepthOptions, measure: Measurer) -> Iterator[Found]:
    """For each statistic one row per series, or per layer of it; then sentences and pictures."""
    drawn: list[tuple[str, Judged]] = []
    ends: dict[str, int] = {}
    for model in models:
        measured = _measured(model, o, measure, sourced(o.several, model))
        source = str(measured.source.get("source", ""))
        ends[source] = model.last_layer or 1  # a single layer is at 0
        by_statistic: dict[str, Sequence[Judged]] = {}
        for statistic in o.stats:
            of_statistic = _judged(measured, statistic)
            by_statistic[statistic] = of_statistic
            for one in of_statistic:
                yield from _rows(one, measured, o)
            drawn += [(source, one) for one in of_statistic]
        yield from _sentences(by_statistic, measured)
    if o.per_layer and GAIN.name in o.stats:
        yield Message(CRITICAL, after=True, key="critical_gain")
    if o.panels:
        yield from panels(drawn, ends, o.stats)


def _measured(
    model: Model, o: DepthOptions, measure: Measurer, source: Mapping[str, object]
) -> _Model:
    pieces = [piece for piece in model.pieces if piece.place.layer is not None]
    products = composed(model) if PRODUCT.name in o.stats else {}
    measured = answers(pieces, _request(o, products), measure)
    series = series_of(member_of(answer.piece, answer.values) for answer in measured)
    if model.aliases:
        series = sharing(series, model)
    counts = layer_counts(model)
    if o.wanted is not None and not o.wanted & OF_NEIGHBOURS:
        return _Model(source, series, {}, counts)
    found = neighbours(series, measure)
    return _Model(source, series, dict(zip(series, found, strict=True)), counts)


def _request(o: DepthOptions, products: Mapping[str, Composed]) -> Request:
    """The statistics, and what the laws of the elements need beside them."""
    if not law_wanted(o):
        return request_of(o.stats, composed=products)
    more = frozenset({ORTHOGONALITY} if o.spectrum else ())
    return request_of(o.stats, (LawRequest(),), more, products)


def _judged(model: _Model, statistic: str) -> list[Judged]:
    of_statistic = model.series
    if statistic == PRODUCT.name:
        of_statistic = [series for series in model.series if series.key.role in ROLES]
    return [judged(series, statistic) for series in of_statistic]


def _rows(one: Judged, model: _Model, o: DepthOptions) -> Iterator[Row]:
    """The row of a series and statistic, or one row for each of its layers."""
    row: dict[str, object] = {
        **model.source,
        **one.series.key.columns,
        "statistic": one.statistic,
    }
    if o.sparkline:
        row["series"] = heights(one.points)
    if o.per_layer:
        for point in one.points:
            values = {**row, **_values_of(point, one), "notes": united(of_layer(one.series, point))}
            if GAIN.name in o.stats:
                values |= _critical(point, one)
            yield row_of(values, _failed(one, point.layer))
            if o.sparkline:
                row["series"] = ""  # once, beside the first layer
        return
    notes: Notes = one.notes
    similarity: Mapping[str, object] = dict.fromkeys(OF_NEIGHBOURS)
    found = model.neighbours.get(one.series)
    if found is not None:
        similarity = found.columns
        notes = united(notes, found.notes)
    initial: Mapping[str, object] = NULLS
    if one.statistic == STD:
        initial, beyond = of_series(one.series, o, model.counts)
        notes = united(notes, beyond)
    failed = [name for point in one.points for name in _failed(one, point.layer)]
    yield row_of({**row, **one.values, **initial, **similarity, "notes": notes}, tuple(failed))


def _values_of(point: Point, one: Judged) -> dict[str, object]:
    """The columns of one layer."""
    outlier = None
    if one.outlying is not None and point.value is not None:
        outlier = point.layer in one.outlying.layers
    return {
        "layer": point.layer,
        "value": point.value,
        "value_low": point.low,
        "value_high": point.high,
        "outlier": outlier,
    }


def _critical(point: Point, one: Judged) -> dict[str, object]:
    """The critical gains, beside a gain."""
    if one.statistic != GAIN.name or point.value is None:
        return {CRITICAL_RELU.name: None, CRITICAL_TANH.name: None}
    return {CRITICAL_RELU.name: RELU, CRITICAL_TANH.name: TANH}


def _failed(one: Judged, layer: int) -> tuple[str, ...]:
    """Tensors of a layer that were read without a result, since squares overflow."""
    names = []
    for member in one.series.layers[layer]:
        codes = {note.code for note in member.notes}
        if BEYOND.code in codes and member.values.get(one.statistic) is None:
            names.append(member.piece.name)
    return tuple(names)


def _subject(statistic: str, model: _Model) -> str:
    """The statistic of a sentence.

    Where widths change, most of a change of std is that of the fan-in: the sentence is about gain.
    """
    if statistic == STD and any(len(series.widths) > 1 for series in model.series):
        return GAIN.name
    return statistic


def _sentences(rows: Mapping[str, Sequence[Judged]], model: _Model) -> Iterator[Message]:
    """A sentence for each statistic, from its rows."""
    subjects = dict.fromkeys(_subject(statistic, model) for statistic in rows)
    for subject in subjects:
        text = sentence(subject, rows.get(subject) or _judged(model, subject))
        source = model.source.get("source")
        if text and source is not None:
            text = f"{escaped(str(source))}: {text}"
        if text:
            yield Message(text, after=True, key="trends")
