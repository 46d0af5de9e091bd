"""Entry + place -> piece: the only module where a name's meaning meets a tensor's bytes.

Applies views (transpose, part, expert, low-rank product, weight norm) to what the checkpoint
stores. Stored layout is a fact of the checkpoint, where it stands is a fact of its name; both meet
here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod

from ..checkpoints import Checkpoint, Entry, LoraPair, NormPair, Stored, lone_factors
from ..checkpoints.views import Empty, OutputsFirst, Part, Product, Transpose, WeightNorm, expert
from ..dtypes import DTYPES
from ..errors import Unmeasured
from ..naming import Place, apart, places
from ..notes import Note, Notes, united
from .piece import Model, Piece
from .reading import Reading

RANK = 1024  # dimensions of a shape that is shown
OPTIMIZER = Place("optimizer", "buffer")
BESIDE = "beside the weight that it belongs to: codes, factors, a norm"
UPDATE = "lora"  # its slot beside the adapted weight, and its role where no rule knows the module
ORIENTATION = Note("orientation-unknown", "orientation unknown: rows and columns may be exchanged")


def listed(checkpoint: Checkpoint, reading: Reading) -> Model:
    """Every stored tensor as one piece, nothing split, nothing paired: what `ls` shows."""
    cut = _places(checkpoint, reading)
    fused = any(places[0].piece for places in cut.values())
    found = _places(checkpoint, replace(reading, split=False)) if fused else cut
    states, lone = checkpoint.optimizer, lone_factors(checkpoint.tensors, checkpoint.config)
    coded = {t.name for t in checkpoint.tensors if t.coded}
    notes = {
        n: () if n in coded else united(places[0].unsplit, lone.get(n)) for n, places in cut.items()
    }
    state = {n: replace(OPTIMIZER, slot=n) for n in states}
    stands = {
        n: (state[n], ()) if n in states else (places[0], notes[n]) for n, places in found.items()
    }
    pieces = [_whole(t, *stands[t.name]) for t in checkpoint.tensors]
    return Model(checkpoint.source, checkpoint, _at_own_places(pieces))


def measured(checkpoint: Checkpoint, reading: Reading) -> Model:
    """What is a weight: everything but buffers."""
    model = everything(checkpoint, reading)
    return replace(model, pieces=tuple(p for p in model.pieces if p.place.kind != "buffer"))


def everything(checkpoint: Checkpoint, reading: Reading) -> Model:
    """Every tensor but optimizer state, split where fused, low-rank pairs as their product."""
    found, factors = _places(checkpoint, reading), {n for p in checkpoint.pairs for n in (p.a, p.b)}
    tensors, lone = (
        {t.name: t for t in checkpoint.tensors},
        lone_factors(checkpoint.tensors, checkpoint.config),
    )
    products = {pair.a: _product(pair, tensors) for pair in checkpoint.pairs}
    pairs, adapted = {p.a: p for p in checkpoint.pairs}, _adapted(checkpoint, products, reading)
    norms, gains = {p.v: p for p in checkpoint.norms}, {p.g for p in checkpoint.norms}
    pieces: list[Piece] = []
    for name, tensor in tensors.items():
        if name in pairs:
            pieces.append(_pair(pairs[name], products[name], adapted[pairs[name].module], tensors))
        elif name in norms:
            pieces += _normed(norms[name], tensors, found[name])
        elif name not in factors and name not in gains and name not in checkpoint.optimizer:
            pieces += _split(tensor, found[name], lone.get(name))
    return Model(checkpoint.source, checkpoint, _at_own_places(pieces))


def _at_own_places(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The pieces at places of their own: codes, products and state meet the others only here."""
    placed: dict[str, tuple[Place, ...]] = {}
    for i, piece in enumerate(pieces):
        placed[f"{piece.name}\0{i}"] = (piece.place,)  # two pieces may have one name
    unique = apart(placed, lambda key: placed[key][0].slot)
    return tuple(
        replace(piece, place=place) for piece, (place,) in zip(pieces, unique.values(), strict=True)
    )


def _places(checkpoint: Checkpoint, reading: Reading) -> Mapping[str, tuple[Place, ...]]:
    """The places of every tensor by its stored name; codes have the one of their weight."""
    config, own = checkpoint.config, reading.name_map
    names = _names(checkpoint)
    called = {t.name: t.name if t.coded else names[t.name] for t in checkpoint.tensors}
    shapes = {called[t.name]: t.dims for t in checkpoint.tensors}
    by_call = places(shapes, config, split=reading.split, name_map=own)
    found = {name: by_call[call] for name, call in called.items()}
    found |= {name: (_beside(found[name][0]),) for name in checkpoint.siblings}
    found |= {pair.g: (_gain(found[pair.g][0]),) for pair in checkpoint.norms}
    coded = [t.name for t in checkpoint.tensors if t.coded]
    if not coded:
        return found
    # apart from the others, whose places the shapes of packed codes must not decide
    as_weights = {names[t.name]: t.matrix if t.coded else t.dims for t in checkpoint.tensors}
    whole = places(as_weights, config, split=False, name_map=own)
    return {**found, **{name: whole[names[name]] for name in coded}}


def _names(checkpoint: Checkpoint) -> Mapping[str, str]:
    """The name by which each tensor is placed: codes by their weight unless the name is taken."""
    taken = {t.name for t in checkpoint.tensors} | checkpoint.aliases.keys()
    names = {}
    for tensor in checkpoint.tensors:
        free = bool(tensor.weight) and tensor.weight not in taken
        names[tensor.name] = tensor.weight if free else tensor.name
        taken.add(names[tensor.name])
    return names


def _beside(place: Place) -> Place:
    """Scales, zero points, alphas and vectors of a norm: buffers in the layer of their weight."""
    return Place("buffer", "buffer", place.layer, place.stack, slot=place.slot, why=BESIDE)


def _gain(place: Place) -> Place:
    """g of a weight norm multiplies, whatever its dimensions are."""
    return replace(place, kind="norm") if place.kind in ("matrix", "conv") else place


def _whole(tensor: Stored, place: Place, notes: Notes) -> Piece:
    every = united(tensor.notes, notes)
    return Piece(
        tensor.name, place, tensor, None, _shape(tensor), tensor.dtype, tensor.params, every
    )


def _split(
    tensor: Stored,
    parts: tuple[Place, ...],
    note: Note | None,
    normed: WeightNorm | None = None,
    stem: str = "",
) -> Iterator[Piece]:
    """One piece for each place of a tensor, with a note; `normed` replaces it under `stem`."""
    stem = stem or tensor.name
    for place in parts:
        name = f"{stem}[{place.piece}]" if place.piece else stem
        base = Piece(
            name, place, tensor, None, _shape(tensor), tensor.dtype, tensor.params, tensor.notes
        )
        if not tensor.measurable or DTYPES[tensor.dtype].kind == "none":
            yield replace(base, notes=tensor.notes or (_undecoded(tensor),))
            continue
        try:
            entry = _seen(normed or tensor, place)
        except Unmeasured as reason:
            yield replace(base, notes=(reason.note,))
            continue
        yield replace(
            base,
            entry=entry,
            params=entry.shape[0] * entry.shape[1],
            notes=_notes(tensor, place, note),
        )


def _normed(
    pair: NormPair, tensors: Mapping[str, Stored], parts: tuple[Place, ...]
) -> Iterator[Piece]:
    """g * v / |v|, split as the weight would be."""
    g, v = tensors[pair.g], tensors[pair.v]
    if any(place.expert is not None for place in parts):
        parts = (replace(parts[0], part="", piece="", expert=None, rows=None, cols=None),)
    yield from _split(v, parts, None, WeightNorm(g, v, pair.dim), f"{pair.weight}[weight_norm]")


def _undecoded(tensor: Stored) -> Note:
    return Note.of("type-not-decoded", "{dtype} cannot be decoded", dtype=tensor.dtype)


def _seen(tensor: Stored | WeightNorm, place: Place) -> Entry:
    """The stored tensor as its place says: expert, orientation, rows, columns."""
    alone = (
        place.kind != "conv" and len(tensor.dims) > 2 and tensor.dims[0] == 1
    )  # positions: 1 x 197 x 768
    leaf: Entry = tensor
    if isinstance(tensor, Stored) and (alone or place.expert is not None):
        leaf = expert(tensor, place.expert or 0)
    entry = _outputs_first(tensor, leaf, place)
    if not tensor.params:
        return Empty(entry)
    if place.rows is not None:
        entry = Part(entry, place.rows)
    return entry if place.cols is None else Transpose(Part(Transpose(entry), place.cols))


def _outputs_first(tensor: Stored | WeightNorm, leaf: Entry, place: Place) -> Entry:
    """The leaf with outputs as rows: (in, out) transposed, in a convolution the channels alone."""
    if not place.transpose:
        return leaf
    if place.kind == "conv" and len(tensor.dims) > 2:
        return OutputsFirst(leaf, prod(tensor.dims[2:]), place.groups)
    return Transpose(leaf)


def _notes(tensor: Stored, place: Place, note: Note | None) -> Notes:
    unsure = ORIENTATION if place.orientation == "unknown" else None
    return united(tensor.notes, unsure, place.unsplit, _flattened(tensor, place), note)


def _flattened(tensor: Stored, place: Place) -> Note | None:
    """That a stack is one matrix, as where --no-split keeps experts together."""
    dims = tensor.dims[tensor.dims[:1] == (1,) or place.expert is not None :]
    known = place.kind == "conv" or len(dims) < 3 or not tensor.params
    if known:
        return None
    template = "{many} dimensions read as one matrix of {m} x {n}"
    return Note.of("read-as-matrix", template, many=len(dims), m=dims[0], n=prod(dims[1:]))


def _product(pair: LoraPair, tensors: Mapping[str, Stored]) -> Product:
    """scale * B A, out x in; of an embedding turned, so that tokens are rows."""
    a, b = tensors[pair.a], tensors[pair.b]
    found = (
        Product(Transpose(b), Transpose(a), pair.scale)
        if pair.turned
        else Product(b, a, pair.scale)
    )
    return _turned(found) if pair.table else found


def _turned(product: Product) -> Product:
    """The transpose, a product too."""
    return Product(Transpose(product.a), Transpose(product.b), product.scale)


def _adapted(
    checkpoint: Checkpoint, products: Mapping[str, Product], reading: Reading
) -> Mapping[str, Place]:
    """Where each adapted module stands, seen beside all the others."""
    shapes = {f"{pair.module}.weight": products[pair.a].shape for pair in checkpoint.pairs}
    found = places(shapes, checkpoint.config, split=False, name_map=reading.name_map)
    return {pair.module: found[f"{pair.module}.weight"][0] for pair in checkpoint.pairs}


def _pair(pair: LoraPair, entry: Product, place: Place, tensors: Mapping[str, Stored]) -> Piece:
    """scale * B A as one piece, standing where the adapted module stands."""
    a, b = tensors[pair.a], tensors[pair.b]
    table = place.kind == "embedding" if pair.table is None else pair.table
    if table and pair.table is None:
        entry = _turned(entry)
    # by its spelling a layer, by its place an embedding: which side the tokens are is not known
    unsure = ORIENTATION if place.kind == "embedding" and not table else None
    word = f"{UPDATE}.{pair.adapter}" if pair.adapter else UPDATE
    place = replace(
        place,
        role=_role(place),
        slot=f"{place.slot}.{word}" if place.slot else word,
        kind=_kind(place, table),
        transpose=False,
        orientation="unknown" if unsure else "out_in",
    )
    rows, columns = entry.shape
    readable = a.measurable and b.measurable
    return Piece(
        f"{pair.module}[{word}]",
        place,
        a,
        entry if readable else None,
        f"{rows}x{columns}",
        a.dtype,
        rows * columns if readable else a.params + b.params,
        united(pair.notes, unsure, a.notes, b.notes),
    )


def _kind(place: Place, table: bool) -> str:
    """An update is a matrix even where its module's name is a vector's."""
    if table:
        return "embedding"
    return "matrix" if place.kind in ("norm", "bias", "buffer") else place.kind


def _role(place: Place) -> str:
    """That of the adapted module, where a rule knows it."""
    return UPDATE if place.role == "unknown" else place.role


def _shape(tensor: Stored) -> str:
    """`768x3072`, cut where a hostile file has more dimensions than anybody reads."""
    if not tensor.dims:
        return "scalar"
    text = "x".join(str(size) for size in tensor.dims[:RANK])
    return text + "x..." if len(tensor.dims) > RANK else text
