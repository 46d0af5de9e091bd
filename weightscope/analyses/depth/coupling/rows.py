"""The rows of `depth --coupling`: one per pair, the largest relative to its null first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ....columns import Found, Message, Row
from ....engine.unit import Measurer
from ....escape import escaped
from ....notes import Note, notes_of, united
from ...layer_names import few_ranges, layers_named
from ...measuring import answers
from ...piece import Model, Piece
from ...rows import row_of, sourced
from ..lacking import NON_FINITE
from ..options import DepthOptions
from .options import kinds
from .pairs import Pair, count_of, pairs
from .picture import panels
from .request import CouplingRequest, paired, with_lacks
from .sentences import left_out, sentences
from .vectors import Vector, has_non_finite, lines, vectors

KEY = "coupling"  # of the sentences in provenance


@dataclass(eq=False)
class _Measured:
    """The vectors of a model, and why it has none in some layers: by stack and label."""

    vectors: list[Vector] = field(default_factory=list)
    lacks: dict[tuple[str, str], dict[int, Note]] = field(default_factory=dict)
    impure: dict[tuple[str, str], set[int]] = field(default_factory=dict)  # layers with NaN or Inf

    def leave_out(self, piece: Piece, reason: Note) -> None:
        """Notes why a piece is in no pair."""
        layer = piece.place.layer
        assert layer is not None
        for line in lines(piece):
            self.lacks.setdefault((piece.place.stack, line.label), {})[layer] = reason

    def note_non_finite(self, piece: Piece) -> None:
        """Notes that a piece has NaN or Inf."""
        layer = piece.place.layer
        assert layer is not None
        for line in lines(piece):
            self.impure.setdefault((piece.place.stack, line.label), set()).add(layer)


def rows(models: Sequence[Model], o: DepthOptions, measure: Measurer) -> Iterator[Found]:
    """The pairs of each model; then sentences and pictures."""
    for model in models:
        source = sourced(o.several, model)
        measured = _measured(model, o, measure)
        found = pairs(measured.vectors, kinds(o.of), model.checkpoint.config)
        count = count_of(found)
        for pair in found:
            yield _row(pair, count, measured, source)
        for text in (*sentences(found, kinds(o.of), count), *left_out(measured.lacks)):
            if "source" in source:
                text = f"{escaped(str(source['source']))}: {text}"
            yield Message(text, after=True, key=KEY)
        if o.panels:
            yield from panels(found, count, source)


def _measured(model: Model, o: DepthOptions, measure: Measurer) -> _Measured:
    """The vectors of a model; of each tensor only these are kept."""
    measured = _Measured()
    usable = []
    for piece, reason in with_lacks(model, paired(model)):
        if reason is None:
            usable.append(piece)
        else:
            measured.leave_out(piece, reason)
    for answer in answers(usable, CouplingRequest(kinds(o.of)), measure):
        measured.vectors += vectors(answer.piece, answer.sketches)
        if has_non_finite(answer.sketches):
            measured.note_non_finite(answer.piece)
        for note in notes_of(answer.values):
            measured.leave_out(answer.piece, note)
    return measured


def _row(pair: Pair, count: int, measured: _Measured, source: Mapping[str, object]) -> Row:
    key = pair.key
    missing: dict[int, Note] = {}
    impure: set[int] = set()
    for line in pair.lines:
        missing |= measured.lacks.get((key.stack, line.label), {})
        impure |= measured.impure.get((key.stack, line.label), set())
    values = {
        **source,
        "stack": key.stack or None,
        "a": key.a,
        "b": key.b,
        "index_set": key.index_set,
        "of": key.of,
        **pair.values,
        "max_rho_family_95": pair.point(count),
        "notes": united(pair.notes, _gap(missing), _non_finite(impure), _over_experts(pair)),
    }
    return row_of(values)


def _gap(missing: Mapping[int, Note]) -> Note | None:
    """The layers of a pair in which a vector is left out, and the reason of the first."""
    if not missing:
        return None
    first = min(missing)
    return Note.of(
        "layers-left-out",
        "without layers {names}: {reason}",
        names=few_ranges(sorted(missing)),
        reason=missing[first].text,
    )


def _non_finite(layers: Collection[int]) -> Note | None:
    """The layers of a pair with NaN or Inf."""
    if not layers:
        return None
    return Note.of(
        NON_FINITE,
        "NaN or Inf in {names}: 0 in a matrix, left out of gains and biases",
        names=layers_named(layers),
    )


def _over_experts(pair: Pair) -> Note | None:
    """The expert of max_rho, where a layer has several."""
    number = pair.largest.number
    if not number:
        return None
    return Note.of(
        "over-experts", "over the experts of a layer; max_rho is of {expert}", expert=number
    )
