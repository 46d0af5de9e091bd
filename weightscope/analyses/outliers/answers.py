"""How pieces become rows of `outliers`: what is measured of each, its base beside it, and tensors of equal content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from ...checkpoints import Entry
from ...columns import Column
from ...engine.unit import Measured, Measurer, Unit
from ...errors import Usage
from ...sketches import Beyond, Count, Hashes, Top, Twins, Untrained
from ...statistics.marked_lines import content
from ...statistics.readings.marked_lines import MARGINS
from ...statistics.statistic import Evidence, Statistic, evaluate, needed
from ..analysis import Answer, Model, Piece
from ..notes import joined
from .buffers import ALONE, NONFINITE, is_buffer, is_checked, is_sound, unjudged
from .lines import BASE

if TYPE_CHECKING:
    from .options import OutliersOptions

TWIN = Column("twin_of", "str", "an earlier tensor of the same content")
AGAINST = (
    Column("changed_rows", "int", "rows that differ from those of --base", shown=True, option="--base"),
    Column("untouched_rows", "int", "rows that are bit-identical to those of --base", shown=True, option="--base"),
)
PLACES = 256                                    # weights that a picture of one tensor shows
FEW = 3                                         # names in a sentence
SMALL = 1024                                    # elements: smaller tensors are equal by chance or by design


def answers(model: Model, o: OutliersOptions, asked: Sequence[Statistic], measure: Measurer) -> Iterator[Answer]:
    """Every weight with its values and sketches, in order; what cannot be measured has a note; buffers that are broken.

    Lists of weights and rows have no buffers.
    """
    lists = bool(o.top or o.top_rows)
    pieces = [p for p in model.pieces if not is_buffer(p) or (is_checked(p) and not lists)]
    alone = sum(p.entry is not None and not is_buffer(p) for p in pieces) == 1
    units = [_unit(p, model, _wants(p, o, asked, alone)) for p in pieces if p.entry is not None]
    measured, seen = measure(units, partial(_each, asked)), dict[object, str]()
    for piece in pieces:
        if piece.entry is None:
            nulls = {c.name: None for s in asked for c in s.columns}
            yield Answer(piece, nulls | {"note": piece.note})
            continue
        answer = next(measured)
        sketches = answer.sketches[""]
        if is_buffer(piece):
            counts = sketches.get(Count())
            if counts is None or not is_sound(piece, counts):  # what does not fit the memory has a note
                yield Answer(piece, answer.values, sketches)
            continue
        twin = {TWIN.name: _twin(piece, sketches, seen)}
        values = {**answer.values, **twin, **_against(piece, model, answer)}
        base = answer.sketches.get(BASE, {}).get(Hashes())
        yield Answer(piece, values, {**sketches, BASE: base} if base and Hashes() in sketches else sketches)


def _unit(piece: Piece, model: Model, wants: frozenset[Any]) -> Unit:
    """A tensor, and its base where there is one of the same shape and type."""
    assert piece.entry is not None
    base, hashes = _counterpart(piece, model), frozenset({Hashes()})
    if base is None or is_buffer(piece):
        return Unit(piece, {"": piece.entry}, {"": wants})
    return Unit(piece, {"": piece.entry, BASE: base}, {"": wants | hashes, BASE: hashes})


def _counterpart(piece: Piece, model: Model) -> Entry | None:
    """The matrix of that name in the base, of the same shape and type."""
    base = model.base.get(piece.name)
    if piece.entry is None or base is None or base.entry is None or not piece.is_matrix:
        return None
    alike = (base.dtype, base.entry.shape) == (piece.dtype, piece.entry.shape)
    return base.entry if alike else None


def uncompared(model: Model) -> str:
    """Which matrices have no counterpart in the base; Usage where none has: all clear would be a lie."""
    weights = [p for p in model.pieces if p.is_matrix and not is_buffer(p)]
    matrices = [p.name for p in weights]
    lone = [p.name for p in weights if _counterpart(p, model) is None]
    if matrices and lone == matrices:
        raise Usage("expected a base with tensors of the same names, shapes and types",
                    f"found none of {len(matrices)} matrices in it", "name what this checkpoint was made from")
    more = f" and {len(lone) - FEW} more" if len(lone) > FEW else ""
    said = f"not compared, since the base has none of that name, shape and type: {', '.join(lone[:FEW])}{more}"
    return said if lone else ""


def _wants(piece: Piece, o: OutliersOptions, asked: Sequence[Statistic], alone: bool) -> frozenset[Any]:
    """Vectors have element statistics only; tokens have rows of their own; buffers are counted."""
    if is_buffer(piece):
        return NONFINITE.needs
    if o.top:
        return frozenset({Beyond(), Top(o.top)})
    if o.top_rows:
        return frozenset({MARGINS}) if piece.is_matrix else frozenset()
    wants = needed(asked) | (frozenset({Beyond()} | ({Top(PLACES)} if alone else set())) if o.panels else frozenset())
    of_tokens = piece.place.role in ("embed", "head")       # positions are parallel to their neighbours by design
    wants -= frozenset() if of_tokens else {Untrained()}
    return wants if piece.is_matrix else wants - {MARGINS, Untrained()}


def _each(asked: Sequence[Statistic], measured: Measured) -> Mapping[str, object]:
    """The values of one tensor, made beside the reading."""
    piece: Piece = measured.unit.key
    shape = piece.entry.shape if piece.entry else None
    evidence = Evidence(measured.sketches[""], shape, piece.dtype, piece.place.kind)
    if is_buffer(piece):
        found = evaluate((NONFINITE,), evidence)
        return {**unjudged(asked), **found, "note": joined(piece.note, measured.note, found["note"], ALONE)}
    values = evaluate(asked, evidence)
    said = "" if piece.is_matrix or not piece.params else "a vector: element statistics only"
    return values | {"note": joined(piece.note, said, measured.note, values["note"])}


def _twin(piece: Piece, sketches: Mapping[Any, Any], seen: dict[object, str]) -> str | None:
    """The first tensor of the same type, shape and content, if it is not this one; constant ones do not count.

    Content is 32 bits a row of its words (`TwinRows.sums`) and all margins. What differs in one element of a row is no
    twin (in 64-bit types nearly never); where rows differ in more, each adds 16 bits or more that would have to agree,
    beside its margins. Zeros of either sign are equal.
    """
    found, counted, rows = (sketches.get(measure) for measure in (MARGINS, Beyond(), Twins()))
    if found is None or counted is None or rows is None or piece.params < SMALL:
        return None
    if counted.counts.minimum >= counted.counts.maximum:    # nothing finite among them
        return None
    digest = blake2b(rows.sums.tobytes())
    for side in (found.rows, found.cols):
        digest.update(content(side).tobytes())
    first = seen.setdefault((piece.dtype, piece.shape, digest.digest()), piece.name)
    return None if first == piece.name else first


def _against(piece: Piece, model: Model, answer: Measured) -> Mapping[str, object]:
    """Rows that changed since the base, and rows that did not; nulls with the reason where there is no base."""
    if not model.base:
        return {}
    own, other = (answer.sketches.get(label, {}).get(Hashes()) for label in ("", BASE))
    base = model.base.get(piece.name)
    if own is None or other is None:
        other_kind = base is not None and (base.shape, base.dtype) != (piece.shape, piece.dtype)
        said = "not in the base" if base is None else "another shape or type than in the base" if other_kind else ""
        return dict.fromkeys(c.name for c in AGAINST) | {"note": joined(answer.values.get("note"), said)}
    changed = int((own.rows != other.rows).sum())
    return {"changed_rows": changed, "untouched_rows": len(own.rows) - changed}
