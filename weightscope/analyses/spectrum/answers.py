"""How pieces become spectra: which are matrices, what is measured of each, products from their factors, and draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal
from zlib import crc32

from ...checkpoints import Entry
from ...checkpoints.views import Drawn, Product, Transpose
from ...columns import Column
from ...engine.unit import Measured, Measurer, Unit
from ...errors import Unmeasured
from ...sketches import Count, Decompose, Factor, Lines, Shuffled
from ...statistics.ranks import eps_of
from ...statistics.readings.drawn import NULLS_OF, drawn, law_of, readings
from ...statistics.spectrum import THIN, Spectrum, of_product, spectrum
from ...statistics.statistic import Evidence, Statistic, chosen, evaluate, needed
from ..analysis import Answer, Model, Piece
from ..notes import joined
from .heads import per_head

if TYPE_CHECKING:
    from .options import SpectrumOptions

SIDES = (
    Column("m", "int", "rows, in math orientation (outputs); zero rows included; null where there is no matrix"),
    Column("n", "int", "columns, in math orientation (inputs); zero columns included; null where there is no matrix"),
)
APART = 32  # bits between --seed, draw and name in the seed of a draw: no two share one
NO_LAW = "no law of the elements to draw from"


def lack(piece: Piece) -> str:
    """Why a piece has no spectrum, "" for a matrix, measurable or not: two dimensions do not make one."""
    kind, dims = piece.place.kind, piece.stored.dims
    if kind == "buffer" or piece.dtype == "BOOL":
        return "a buffer: no spectrum"
    if piece.stored.coded:                      # packed: the stored shape does not tell that of the weight
        return "a vector: no spectrum" if kind in ("norm", "bias") else ""
    if kind in ("norm", "bias") or min(_shape(piece)) < 2:
        return "a vector: no spectrum" if piece.params else "no elements"
    if kind != "conv" or len(dims) < 3 or dims[1] > 1:
        return ""
    known = piece.place.role == "conv.depthwise"
    return f"{'a depthwise kernel' if known else 'one input channel, depthwise or a bank of filters'}: no spectrum"


def sides(piece: Piece) -> Mapping[str, int | None]:
    """SIDES of a matrix, measurable or not: what its header tells; of codes nothing."""
    shape = (None, None) if lack(piece) or piece.stored.coded else _shape(piece)
    return dict(zip((c.name for c in SIDES), shape, strict=True))


def _shape(piece: Piece) -> tuple[int, int]:
    """Rows and columns, also of what cannot be decoded."""
    if piece.entry:
        return piece.entry.shape
    place, stored = piece.place, piece.stored
    m, n = stored.shape if place.expert is None else stored.dims[1:3]
    m, n = (n, m) if place.transpose else (m, n)
    return place.rows.size if place.rows else m, place.cols.size if place.cols else n


def spectrum_of(answer: Answer, o: SpectrumOptions) -> Spectrum | None:
    """The spectrum behind an answer; None where there is none, where it does not fit, and where nothing asked."""
    try:
        return spectrum(answer.sketches[o.measure], answer.sketches[Lines()], eps_of(_rounded_as(answer.piece)))
    except (Unmeasured, KeyError):
        return None


def _rounded_as(piece: Piece) -> str:
    """The type that its elements were rounded to: of a pair the coarser of its factors'."""
    entry = piece.entry
    return max((entry.a.dtype, entry.b.dtype), key=eps_of) if isinstance(entry, Product) else piece.dtype


def answers(model: Model, o: SpectrumOptions, asked: Sequence[Statistic], measure: Measurer) -> Iterator[Answer]:
    """Every piece with its values and sketches, in order; what has no spectrum has a note."""
    seen = list(per_head(model.pieces, model.checkpoint.config)) if o.per_head else model.pieces
    asked = chosen(asked, o.wanted)
    found = _first(seen, o, asked, measure)
    return _beside_draws(list(found), o, measure) if _drawing(o) else found


def _drawing(o: SpectrumOptions) -> bool:
    """Whether any column asks for what chance gives."""
    return o.null is not None and (o.wanted is None or any(name in NULLS_OF for name in o.wanted))


def _first(
    seen: Sequence[Piece], o: SpectrumOptions, asked: Sequence[Statistic], measure: Measurer
) -> Iterator[Answer]:
    """The matrices themselves."""
    wants = needed(asked) | ({o.measure, Lines()} if o.values or o.panels or _drawing(o) else frozenset())
    wants |= {Count()} if o.null in ("gaussian", "logistic") and _drawing(o) else frozenset()
    units = [u for p in seen if not (lack(p) or p.entry is None) for u in _units(p, wants, o.measure)]
    measured = measure(units, partial(_each, asked)) if units else iter(())
    for piece in seen:
        if (reason := lack(piece)) or piece.entry is None:
            nulls = {c.name: None for s in asked for c in s.columns}
            yield Answer(piece, nulls | {"note": joined(piece.note, reason)}, {})
        elif isinstance(piece.entry, Product):
            yield _product(piece, [next(measured) for _ in range(3)], asked, o.measure)
        else:
            answer = next(measured)
            yield Answer(piece, answer.values, answer.sketches[""])


def _units(piece: Piece, wants: frozenset[Any], decompose: Decompose) -> Iterator[Unit]:
    """One unit; of a product three: itself without its decomposition, or a balanced one if thin, and both factors."""
    entry = piece.entry
    assert entry is not None
    if isinstance(entry, Product):
        yield Unit(piece, {"": entry}, {"": wants & {Lines(), Count()} if _thin(entry) else wants - {decompose}})
        factor = frozenset({Factor()} if decompose in wants else ())
        yield from (Unit(replace(piece, entry=None), {"": e}, {"": factor}) for e in _factors(entry))
    else:
        yield Unit(piece, {"": entry}, {"": wants})


def _thin(product: Product) -> bool:
    """Whether the factors are thinner than what they make."""
    return product.a.shape[0] < min(product.shape)


def _factors(product: Product) -> tuple[Entry, Entry]:
    """B and A^T, both thin."""
    return product.b, Transpose(product.a)


def _each(asked: Sequence[Statistic], measured: Measured) -> Mapping[str, object]:
    """The values of one matrix, made beside the reading; a product's wait for its factors."""
    piece: Piece = measured.unit.key
    if piece.entry is None or isinstance(piece.entry, Product):
        return {}
    return _values(piece, measured.sketches[""], asked, measured.note)


def _values(piece: Piece, sketches: Mapping[Any, Any], asked: Sequence[Statistic], note: str) -> Mapping[str, object]:
    assert piece.entry is not None
    values = evaluate(asked, Evidence(sketches, piece.entry.shape, _rounded_as(piece), piece.place.kind))
    return values | {"note": joined(piece.note, note, values["note"])}


def _product(piece: Piece, parts: Sequence[Measured], asked: Sequence[Statistic], decompose: Decompose) -> Answer:
    """The spectrum of scale B A from both triangles."""
    entry = piece.entry
    assert isinstance(entry, Product)
    sketches, (left, right) = dict(parts[0].sketches[""]), (p.sketches[""].get(Factor()) for p in parts[1:])
    if left is not None and right is not None:
        sketches[decompose] = of_product(left, right, entry.scale, entry.shape)
    said = joined(*(p.note for p in parts), THIN if asked and _thin(entry) else "") or ""
    return Answer(piece, _values(piece, sketches, asked, said), sketches)


def _beside_draws(found: Sequence[Answer], o: SpectrumOptions, measure: Measurer) -> Iterator[Answer]:
    """The same answers with what chance gives beside them."""
    units = [(a, list(_draws(a, o))) for a in found]
    flat = [u for _, us in units for u in us]
    measured = measure(flat, partial(_reading, o)) if flat else iter(())
    for answer, own in units:
        seen = [next(measured) for _ in own]
        values = drawn([m.values for m in seen], o.draws)
        said = (*(m.note for m in seen), values["note"]) if own else (NO_LAW,) if spectrum_of(answer, o) else ()
        yield replace(answer, values={**answer.values, **values, "note": joined(answer.values["note"], *said)})


def _draws(answer: Answer, o: SpectrumOptions) -> Iterator[Unit]:
    """Matrices of chance, as many as asked for: its own elements permuted, or drawn from its fitted law."""
    piece, entry = answer.piece, answer.piece.entry
    if entry is None or spectrum_of(answer, o) is None:
        return
    if o.null == "shuffle":
        yield from (Unit(piece, {"": entry}, {"": frozenset({Shuffled(o.measure, s)})}) for s in _seeds(piece, o))
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
